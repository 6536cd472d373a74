package aws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/awsnames"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// place is a Region, its loopback address, and its names at AWS.
type place struct {
	corp.Place
	ip     string
	portal string   // the origin of the dual-stack portal
	hosts  []string // all of its host names
}

// places returns the Regions, the primary first. Each has the addresses of the announcement.
func places(t *testing.T) []place {
	t.Helper()
	names := awsnames.Instance{Primary: corp.Virginia.Name, InstanceID: region.InstanceID}
	out := []place{{Place: corp.Virginia, ip: "127.0.0.11"}, {Place: corp.Frankfurt, ip: "127.0.0.12"}}
	for i, p := range out {
		portals, err := names.PortalURLs(p.Name)
		require.NoError(t, err)
		out[i].portal = portals[1]
		for _, raw := range portals {
			u, err := url.Parse(raw)
			require.NoError(t, err)
			out[i].hosts = append(out[i].hosts, u.Hostname())
		}
		for _, service := range []string{"oidc", "portal.sso", "sts"} {
			out[i].hosts = append(out[i].hosts, service+"."+p.Name+".amazonaws.com")
		}
	}
	return out
}

// world is an identity provider and two replicated Regions, at AWS's own host names.
type world struct {
	t       *testing.T
	places  []place
	idp     *mockidp.Server
	regions []*region.Region
	servers []*http.Server // nil while it is stopped
	ca      authority
	port    string
	keyring *sealed.Keyring

	mu  sync.Mutex
	log bytes.Buffer
}

func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// newWorld starts a world at a port of the two addresses. With port 443 clients need no other address than AWS's.
func newWorld(t *testing.T, port string) *world {
	t.Helper()
	w := &world{t: t, places: places(t), port: port, servers: make([]*http.Server, 2)}
	var listeners []net.Listener
	for _, p := range w.places {
		l, err := net.Listen("tcp", net.JoinHostPort(p.ip, port))
		if err != nil {
			testkit.Lacking(t, "awscli", err.Error())
		}
		listeners = append(listeners, l)
	}
	w.ca = newAuthority(t)
	var err error
	w.keyring, err = sealed.All(t.TempDir(), w.places[0].Name, w.places[1].Name)
	require.NoError(t, err)
	w.idp = mockidp.New(mockidp.Config{Users: corp.Users(), Apps: []mockidp.App{corp.SAMLApp()}})
	t.Cleanup(w.idp.Close)
	md, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	cfg := saml.Config{EntityID: w.places[0].portal + corp.SPPath, IdP: md}
	var entries []center.Region
	for _, p := range w.places {
		cfg.ACS = append(cfg.ACS, saml.Endpoint{URL: region.ACS(p.portal), Region: p.Name})
		entries = append(entries, region.Entry(p.Place, p.portal, center.RegionActive))
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", metadata))
	for i, p := range w.places {
		w.open(i, p, sp, entries)
		w.serve(i, listeners[i])
	}
	return w
}

// open starts a Region and waits until it is replicated.
func (w *world) open(i int, p place, sp *saml.ServiceProvider, entries []center.Region) {
	sealer, err := w.keyring.Sealer(p.Name)
	require.NoError(w.t, err)
	cfg := region.Config{
		Sealer: sealer,
		Place:  p.Place, Primary: corp.Virginia.Name, Origin: p.portal, SP: sp, Dir: filepath.Join(w.t.TempDir(), p.Name),
		Listen: "127.0.0.1:0", Secret: "shared by the Regions", Peers: map[string]string{},
		AWS:    &region.AWS{Key: bytes.Repeat([]byte{1}, 32)},
		Logger: slog.New(slog.NewTextHandler(w, nil)),
	}
	if i == 0 {
		cfg.Seed = corp.Data(entries...)
	} else {
		cfg.Peers[corp.Virginia.Name] = w.regions[0].Addr()
	}
	r, err := region.Open(w.t.Context(), cfg)
	require.NoError(w.t, err)
	w.t.Cleanup(r.Close)
	w.regions = append(w.regions, r)
	if i > 0 {
		require.NoError(w.t, w.regions[0].Follow(w.t.Context(), p.Name, r.Addr()))
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	require.NoError(w.t, r.Wait(ctx))
}

// serve serves a Region's portal and APIs at its address, by host name.
func (w *world) serve(i int, l net.Listener) {
	r, p := w.regions[i], w.places[i]
	api := r.API()
	h := http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if host, _, _ := strings.Cut(req.Host, ":"); strings.HasSuffix(host, "."+p.Name+".amazonaws.com") &&
			!strings.Contains(host, "ssoins-") {
			api.ServeHTTP(rw, req)
			return
		}
		r.ServeHTTP(rw, req)
	})
	s := &http.Server{
		Handler: h, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{w.ca.certificate(w.t, p.hosts...)}},
	}
	w.servers[i] = s
	w.t.Cleanup(func() { _ = s.Close() })
	go func() { _ = s.ServeTLS(l, "", "") }()
}

// stop ends a Region without notice.
func (w *world) stop(i int) {
	require.NoError(w.t, w.servers[i].Close())
	w.regions[i].Close()
}

// dial connects to the address of a host's Region.
func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	for _, p := range w.places {
		for _, name := range p.hosts {
			if name == host {
				return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(p.ip, w.port))
			}
		}
	}
	return testkit.DialLoopback(ctx, network, net.JoinHostPort(host, port))
}

func (w *world) transport() *http.Transport {
	pool := x509.NewCertPool()
	require.True(w.t, pool.AppendCertsFromPEM(w.ca.pem))
	return &http.Transport{
		DialContext: w.dial, TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true,
	}
}

// browser returns a browser that is signed in at a Region.
func (w *world) browser(i int, login string) *testkit.Browser {
	w.t.Helper()
	b := testkit.NewBrowser(w.t.Context())
	b.Transport = w.transport()
	_, err := b.SignInAs(w.idp, w.places[i].portal+"/", login)
	require.NoError(w.t, err)
	return b
}

// allow answers the portal's questions about a program, from the address that the program shows.
func (w *world) allow(b *testkit.Browser, addr string) {
	w.t.Helper()
	p, err := b.Open(addr)
	require.NoError(w.t, err)
	for range 3 {
		answer := "allow"
		f, ok := p.FormFor("/client")
		if !ok {
			f, ok = p.FormFor("/device")
			answer = "continue"
		}
		if !ok {
			break
		}
		p, err = b.Submit(p, f, url.Values{"answer": {answer}})
		require.NoError(w.t, err)
	}
	assert.Equal(w.t, 200, p.Status, "%s: %s", p.URL, p.Text())
}
