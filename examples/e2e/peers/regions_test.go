package peers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

const (
	homeRegion = "us-east-1" // its URL is the first, the default
	awayRegion = "eu-central-1"
)

// deployment is one service provider with two Regions. Each Region has its own
// https server, store and login page.
type deployment struct {
	sp  *saml.ServiceProvider
	idp *saml.SwappableIdP
	url map[string]string // Region to its address, without a slash at the end

	handler map[string]http.Handler // of each Region

	byIndex bool // how its requests name their ACS

	sessions *sessions.MemoryStore // of both Regions, see sessions_test.go

	mu       sync.Mutex
	logins   []*acs.Login // guarded by mu, as are
	verdicts []acs.Verdict
	messages []string // of logout
	ended    []string // the users whom LogoutRequests named
}

// deploy starts a deployment whose service provider and consumers are as
// change makes them. It has no identity provider yet: theirs reads our metadata
// first.
func deploy(t *testing.T, change func(*saml.Config, *acs.Config)) *deployment {
	t.Helper()
	unused, err := saml.NewIdP(saml.IdPConfig{
		EntityID: "urn:unused", Certificates: []*x509.Certificate{peerIdPKey().cert},
	})
	require.NoError(t, err)
	d := &deployment{
		idp: saml.NewSwappableIdP(unused), url: make(map[string]string),
		sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}),
		handler:  make(map[string]http.Handler),
	}
	servers := make(map[string]*httptest.Server)
	for _, region := range []string{homeRegion, awayRegion} {
		s := httptest.NewUnstartedServer(nil)
		t.Cleanup(s.Close)
		_, port, err := net.SplitHostPort(s.Listener.Addr().String())
		require.NoError(t, err)
		servers[region], d.url[region] = s, "https://"+region+".localhost:"+port
	}
	// The indexes are not the positions, and the default has the greater one.
	home, away := uint16(7), uint16(3)
	sp := saml.Config{
		EntityID: d.url[homeRegion] + "/platform/saml/d-9067f1a2b3",
		ACS: []saml.Endpoint{
			{URL: d.acs(homeRegion), Region: homeRegion, Index: &home},
			{URL: d.acs(awayRegion), Region: awayRegion, Index: &away},
		},
		IdP:           d.idp,
		NameIDFormats: []string{"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"},
		Key:           peerSPKey().key,
		Certificate:   peerSPKey().cert,
		SignRequests:  true,
	}
	region := acs.Config{
		OnLogin:     d.signedIn,
		OnVerdict:   d.record,
		EndSessions: d.endSessions,
		OnLoggedOut: signedOut,
		Logger:      slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	change(&sp, &region)
	d.byIndex = sp.ACSByIndex
	d.sp, err = saml.New(sp)
	require.NoError(t, err)
	region.SP = d.sp
	for name, s := range servers {
		region.Region = name
		// Some identity providers write whole seconds only. A store that
		// reports its start refuses assertions that were issued in the second
		// of that start. So this store doesn't report it.
		region.Store = struct{ acs.Store }{acs.NewMemoryStore(acs.MemoryConfig{})}
		d.serve(t, s, region)
	}
	return d
}

func (d *deployment) serve(t *testing.T, s *httptest.Server, cfg acs.Config) {
	t.Helper()
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	mux.HandleFunc("GET /login-by-post", func(w http.ResponseWriter, r *http.Request) {
		region.StartLogin(w, r, acs.LoginOptions{Binding: saml.HTTPPost, ForceAuthn: true,
			ReturnTo: r.FormValue("return_to")})
	})
	mux.HandleFunc("GET /login-by-artifact", func(w http.ResponseWriter, r *http.Request) {
		region.StartLogin(w, r, acs.LoginOptions{ResponseBinding: saml.HTTPArtifact, ReturnTo: r.FormValue("return_to")})
	})
	d.serveSessions(mux, region)
	key, cert := peerTLS()
	d.handler[cfg.Region] = d.recordLogout(mux)
	s.Config.Handler = d.handler[cfg.Region]
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{PrivateKey: key, Certificate: [][]byte{cert.Raw}}}}
	s.StartTLS()
}

func (d *deployment) acs(region string) string { return d.url[region] + "/platform/saml/acs/4455" }

func (d *deployment) metadata(t *testing.T) []byte {
	t.Helper()
	metadata, err := d.sp.Metadata()
	require.NoError(t, err)
	return metadata
}

// trust configures an identity provider's metadata.
func (d *deployment) trust(t *testing.T, metadata []byte) {
	t.Helper()
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	d.idp.Replace(idp)
}

func (d *deployment) record(_ context.Context, v acs.Verdict) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.verdicts = append(d.verdicts, v)
}

// delivery is the result of a posted response.
type delivery struct {
	status  int
	verdict acs.Verdict
	login   *acs.Login // nil if it was refused
}

// deliver posts a response, and returns the result. cookies are sent in addition
// to those of the browser.
func (d *deployment) deliver(b *peerBrowser, m peerMessage, cookies ...*http.Cookie) delivery {
	b.t.Helper()
	d.mu.Lock()
	d.logins, d.verdicts = nil, nil
	d.mu.Unlock()

	p := b.carry(m, cookies...)

	d.mu.Lock()
	defer d.mu.Unlock()
	require.Len(b.t, d.verdicts, 1, "a post is one verdict; the page is\n%s", p.body)
	a := delivery{status: p.status, verdict: d.verdicts[0]}
	if len(d.logins) > 0 {
		require.Len(b.t, d.logins, 1)
		a.login = d.logins[0]
	}
	require.Equal(b.t, a.verdict.Accepted, a.login != nil)
	return a
}
