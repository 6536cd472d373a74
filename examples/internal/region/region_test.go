package region_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/person"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// hang bounds how long a test waits. Only a defect takes that long.
const hang = 2 * time.Minute

// dials counts the connections that a Region makes to others.
type dials struct{ n atomic.Int64 }

// Dial implements nats.CustomDialer.
func (d *dials) Dial(network, addr string) (net.Conn, error) {
	d.n.Add(1)
	return net.Dial(network, addr)
}

// world is two Regions and an identity provider.
type world struct {
	idp     *mockidp.Server
	regions map[string]*region.Region
	origins map[string]string
	dials   map[string]*dials
	mu      sync.Mutex
	in      int // accepted sign-ins; guarded by mu
}

func newWorld(t *testing.T, places ...corp.Place) *world {
	t.Helper()
	return newWorldWith(t, func(*region.Config) {}, places...)
}

// newWorldWith is newWorld with changed configurations.
func newWorldWith(t *testing.T, edit func(*region.Config), places ...corp.Place) *world {
	t.Helper()
	w := &world{regions: map[string]*region.Region{}, origins: map[string]string{}, dials: map[string]*dials{}}
	w.idp = mockidp.New(
		mockidp.Config{BaseURL: "http://" + corp.IdPHost + ":0", Users: corp.Users(), Apps: []mockidp.App{corp.SAMLApp()}},
	)
	t.Cleanup(w.idp.Close)
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	var endpoints []saml.Endpoint
	var entries []center.Region
	listeners := map[string]net.Listener{}
	for _, p := range places {
		l, err := loopback.Listen(0)
		require.NoError(t, err)
		listeners[p.Name], w.origins[p.Name], w.dials[p.Name] = l, loopback.Origin(p.Host(), loopback.Port(l)), &dials{}
		endpoints = append(endpoints, saml.Endpoint{URL: region.ACS(w.origins[p.Name]), Region: p.Name})
		entries = append(entries, region.Entry(p, w.origins[p.Name], center.RegionActive))
	}
	sp, err := saml.New(saml.Config{EntityID: w.origins[places[0].Name] + corp.SPPath, ACS: endpoints, IdP: idp})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", metadata))
	var names []string
	for _, p := range places {
		names = append(names, p.Name)
	}
	keyring, err := sealed.All(t.TempDir(), names...)
	require.NoError(t, err)
	seed := corp.Data(entries...)
	seed.Instance = center.InstanceMetadata{OwnerAccountID: corp.Management, Encryption: center.Encryption{
		KeyType: center.KeyCustomerManaged,
		KeyARN:  "arn:aws:kms:us-east-1:" + corp.Management + ":key/mrk-0123456789abcdef0123456789abcdef",
	}}
	for _, p := range places {
		sealer, err := keyring.Sealer(p.Name)
		require.NoError(t, err)
		cfg := region.Config{
			Sealer: sealer,
			Place:  p, Primary: places[0].Name, Origin: w.origins[p.Name], SP: sp, Dir: t.TempDir(), Listen: "127.0.0.1:0",
			Secret: "the secret of the Regions", Seed: seed, Logger: slog.New(slog.DiscardHandler),
			Dial: []nats.Option{nats.SetCustomDialer(w.dials[p.Name])}, OnVerdict: w.verdict,
			AWS: &region.AWS{Key: make([]byte, 32)}, Admin: admin,
		}
		edit(&cfg)
		r, err := region.Open(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(r.Close)
		s := loopback.Serve(listeners[p.Name], r)
		t.Cleanup(s.Stop)
		w.regions[p.Name] = r
	}
	for a, r := range w.regions {
		for b, o := range w.regions {
			if a != b {
				require.NoError(t, r.Follow(t.Context(), b, o.Addr()))
			}
		}
	}
	for _, r := range w.regions {
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		defer cancel()
		require.NoError(t, r.Wait(ctx))
	}
	return w
}

// admin lets operators add Regions.
func admin(v *center.View) *portal.RegionAdmin {
	return &portal.RegionAdmin{
		Control: &center.Control{View: v}, Account: corp.Management,
		Addresses: func(name string) (center.Region, error) { return center.Region{Name: name}, nil },
	}
}

func (w *world) verdict(_ context.Context, v acs.Verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.Accepted {
		w.in++
	}
}

// linked reports whether every Region is connected to every other.
func (w *world) linked() bool {
	for _, r := range w.regions {
		for _, p := range r.Peers() {
			if p.State != portal.PeerReplicated {
				return false
			}
		}
	}
	return true
}

var errOutside = errors.New("a connection that leaves the Region")

// Sign-in in a Region makes no connection that leaves it: no new link to another Region, no use of net/http's default
// client, and no name lookup. Only links dial addresses, and those are counted.
func TestSignInLeavesTheRegionAlone(t *testing.T) {
	var outside atomic.Int64
	watch(t, &outside) // before anything runs that could look
	w := newWorld(t, corp.Virginia, corp.Frankfurt)
	require.Eventually(t, w.linked, hang, time.Millisecond)
	outside.Store(0)
	before := map[string]int64{}
	for name, d := range w.dials {
		before[name] = d.n.Load()
		require.NotZero(t, before[name], "the links are watched")
	}

	const people = 20
	alice := person.Person{Login: corp.Alice, IdP: w.idp.URL}
	for i := range people {
		p := corp.Frankfurt
		if i%4 == 0 {
			p = corp.Virginia
		}
		page, err := alice.Enter(testkit.NewBrowser(t.Context()), w.origins[p.Name]+"/")
		require.NoError(t, err)
		require.NoError(t, alice.Sees(page, p, w.origins[p.Name]))
	}
	assert.Equal(t, people, w.in)
	for name, d := range w.dials {
		assert.Equal(t, before[name], d.n.Load(), "connections that %s made during the sign-ins", name)
	}
	assert.Zero(t, outside.Load(), "requests or look-ups on the way")

	// The watch notices such connections.
	_, err := http.Get("http://elsewhere.example/")
	require.ErrorIs(t, err, errOutside)
	_, err = net.DefaultResolver.LookupHost(t.Context(), "elsewhere.example")
	require.Error(t, err)
	assert.GreaterOrEqual(t, outside.Load(), int64(2))
	require.NoError(
		t,
		w.regions[corp.Frankfurt.Name].Follow(t.Context(), corp.Virginia.Name, w.regions[corp.Virginia.Name].Addr()),
	)
	require.Eventually(
		t,
		func() bool { return w.dials[corp.Frankfurt.Name].n.Load() > before[corp.Frankfurt.Name] },
		hang,
		time.Millisecond,
	)
}

// watch counts and refuses connections by the process's defaults.
func watch(t *testing.T, outside *atomic.Int64) {
	refuse := func(context.Context, string, string) (net.Conn, error) {
		outside.Add(1)
		return nil, errOutside
	}
	transport, resolver := http.DefaultTransport, net.DefaultResolver
	http.DefaultTransport = &http.Transport{DialContext: refuse}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: refuse}
	t.Cleanup(func() { http.DefaultTransport, net.DefaultResolver = transport, resolver })
}

// A Region serves when every other Region is gone.
func TestSignInWithEveryOtherRegionGone(t *testing.T) {
	w := newWorld(t, corp.Virginia, corp.Frankfurt, corp.Sydney)
	w.regions[corp.Virginia.Name].Close()
	w.regions[corp.Frankfurt.Name].Close()
	alice, origin := person.Person{Login: corp.Alice, IdP: w.idp.URL}, w.origins[corp.Sydney.Name]
	page, err := alice.Enter(testkit.NewBrowser(t.Context()), origin+"/")
	require.NoError(t, err)
	require.NoError(t, alice.Sees(page, corp.Sydney, origin, corp.Sandbox))
}
