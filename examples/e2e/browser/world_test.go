package browser_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

const (
	virginia  = "us-east-1"
	frankfurt = "eu-central-1"

	alice    = "alice@example.com"
	bob      = "bob@example.com"
	mallory  = "mallory@example.com" // the identity provider knows her, the portal doesn't
	password = "open-sesame"
)

// world is an identity provider and two Regions of one service provider,
// each with its portal, on hosts and ports of their own. Browsers resolve
// *.localhost to loopback by themselves.
type world struct {
	idp     *mockidp.Server
	portals map[string]string // Region to its portal's address, without a slash at the end
	sp      *saml.ServiceProvider
	config  func(*portal.Config) // changes that of each portal

	mu       sync.Mutex
	verdicts []acs.Verdict   // guarded by mu, as is
	signIns  []portal.SignIn // results of the accepted ones
}

// wrapper wraps the handler of a Region's portal.
type wrapper func(http.Handler) http.Handler

// newWorld starts everything. wrap has wrappers by Region, and may be nil.
func newWorld(t *testing.T, wrap map[string]wrapper) *world {
	t.Helper()
	return newWorldOf(t, wrap, func(string, *center.Data) {}, func(*portal.Config) {})
}

// newWorldOf is newWorld with changes: of the instance, by the entity ID of the identity provider, and of each portal.
func newWorldOf(t *testing.T, wrap map[string]wrapper, instance func(string, *center.Data),
	config func(*portal.Config)) *world {
	t.Helper()
	return newWorldWith(t, wrap, instance, config, func(*world, *saml.Config) {})
}

// newLogoutWorld is newWorld with single logout in both Regions.
func newLogoutWorld(t *testing.T, config func(*portal.Config)) *world {
	t.Helper()
	return newWorldWith(t, nil, func(string, *center.Data) {}, config, func(w *world, c *saml.Config) {
		key := testkit.RSAKey("sp")
		c.Key, c.Certificate = key, testkit.Certificate(key, time.Now())
		for _, region := range []string{virginia, frankfurt} {
			c.Logout = append(c.Logout, saml.LogoutEndpoint{URL: w.portals[region] + "/logout", Region: region})
		}
	})
}

// newWorldWith is newWorldOf with a change of the service provider.
func newWorldWith(t *testing.T, wrap map[string]wrapper, instance func(string, *center.Data),
	config func(*portal.Config), provider func(*world, *saml.Config)) *world {
	t.Helper()
	w := &world{portals: map[string]string{}, config: config}
	servers := map[string]*httptest.Server{}
	for _, region := range []string{virginia, frankfurt} {
		s := httptest.NewUnstartedServer(nil)
		_, port, err := net.SplitHostPort(s.Listener.Addr().String())
		require.NoError(t, err)
		servers[region], w.portals[region] = s, "http://"+region+".localhost:"+port
	}
	w.startIdP(t)

	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	source := saml.NewSwappableIdP(idp)
	cfg := saml.Config{
		EntityID: w.portals[virginia] + "/platform/saml/d-9067f1a2b3",
		ACS: []saml.Endpoint{
			{URL: w.acs(virginia), Region: virginia},
			{URL: w.acs(frankfurt), Region: frankfurt},
		},
		IdP: source,
	}
	provider(w, &cfg)
	w.sp, err = saml.New(cfg)
	require.NoError(t, err)
	metadata, err := w.sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", metadata))
	idp, err = saml.ParseIdPMetadata(w.idp.Metadata("")) // with single logout, if the service provider has it
	require.NoError(t, err)
	source.Replace(idp)

	d := w.data()
	instance(idp.EntityID(), &d)
	inst, err := center.New(d)
	require.NoError(t, err)
	for region, s := range servers {
		view, err := inst.In(region)
		require.NoError(t, err)
		s.Config.Handler = w.portal(t, region, view)
		if f := wrap[region]; f != nil {
			s.Config.Handler = f(s.Config.Handler)
		}
		s.Start()
		t.Cleanup(s.Close)
	}
	return w
}

func (w *world) acs(region string) string { return w.portals[region] + "/platform/saml/acs/4455" }

func (w *world) startIdP(t *testing.T) {
	t.Helper()
	w.idp = mockidp.New(mockidp.Config{
		BaseURL: "http://idp.localhost:0",
		Org:     "Example Corp",
		Hint:    "Sign in as " + alice + ", password " + password,
		Users: []mockidp.User{
			{Login: alice, Password: password, FirstName: "Alice", LastName: "Adams"},
			{Login: bob, Password: password, FirstName: "Bob", LastName: "Berg"},
			{Login: mallory, Password: password, FirstName: "Mallory", LastName: "Moss"},
		},
		Apps: []mockidp.App{
			{Label: "AWS access portal", Groups: []string{"Everyone"}},
			{Label: "Access portal eu-central-1", Kind: mockidp.Bookmark, URL: w.portals[frankfurt] + "/",
				Groups: []string{"Everyone"}},
			{Label: "Payroll", Users: []string{bob}},
		},
	})
	t.Cleanup(w.idp.Close)
}

func (w *world) portal(t *testing.T, region string, view *center.View) *portal.Portal {
	t.Helper()
	cfg := portal.Config{
		Region: region, SP: w.sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Context: t.Context(),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnVerdict: func(_ context.Context, v acs.Verdict) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.verdicts = append(w.verdicts, v)
		},
		OnSignIn: func(_ context.Context, s portal.SignIn) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.signIns = append(w.signIns, s)
		},
	}
	w.config(&cfg)
	p, err := portal.New(cfg)
	require.NoError(t, err)
	return p
}

// verdict returns the last verdict and how many there were.
func (w *world) verdict() (acs.Verdict, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.verdicts) == 0 {
		return acs.Verdict{}, 0
	}
	return w.verdicts[len(w.verdicts)-1], len(w.verdicts)
}

// signIn returns the portals' last result for an accepted response.
func (w *world) signIn() portal.SignIn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.signIns) == 0 {
		return portal.SignIn{}
	}
	return w.signIns[len(w.signIns)-1]
}
