package browser_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// newReplicatedWorld starts an identity provider and two Regions with replicas and single logout.
func newReplicatedWorld(t *testing.T) (*world, map[string]*region.Region) {
	t.Helper()
	w, key, listeners := &world{portals: map[string]string{}}, testkit.RSAKey("sp"), map[string]net.Listener{}
	cfg := saml.Config{Key: key, Certificate: testkit.Certificate(key, time.Now())}
	var entries []center.Region
	places := []corp.Place{corp.Virginia, corp.Frankfurt}
	for _, p := range places {
		l, err := loopback.Listen(0)
		require.NoError(t, err)
		origin := loopback.Origin(p.Host(), loopback.Port(l))
		listeners[p.Name], w.portals[p.Name] = l, origin
		cfg.ACS = append(cfg.ACS, saml.Endpoint{URL: region.ACS(origin), Region: p.Name})
		cfg.Logout = append(cfg.Logout, region.Logout(p, origin))
		entries = append(entries, region.Entry(p, origin, center.RegionActive))
	}
	w.startIdP(t)
	md, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	source := saml.NewSwappableIdP(md)
	cfg.IdP = source
	cfg.EntityID = w.portals[virginia] + corp.SPPath
	w.sp, err = saml.New(cfg)
	require.NoError(t, err)
	metadata, err := w.sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", metadata))
	md, err = saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	source.Replace(md)
	regions := map[string]*region.Region{}
	keyring, err := sealed.All(t.TempDir(), virginia, frankfurt)
	require.NoError(t, err)
	for _, p := range places {
		sealer, err := keyring.Sealer(p.Name)
		require.NoError(t, err)
		r, err := region.Open(t.Context(), region.Config{
			Sealer: sealer,
			Place:  p, Primary: virginia, Origin: w.portals[p.Name], SP: w.sp, Dir: t.TempDir(), Listen: "127.0.0.1:0",
			Secret: "the secret of the Regions", Seed: corp.Data(entries...), Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		t.Cleanup(r.Close)
		t.Cleanup(loopback.Serve(listeners[p.Name], r).Stop)
		regions[p.Name] = r
	}
	connect(t, regions)
	for _, r := range regions {
		require.NoError(t, r.Wait(t.Context()))
	}
	return w, regions
}

// connect makes each Region follow the other.
func connect(t *testing.T, regions map[string]*region.Region) {
	t.Helper()
	require.NoError(t, regions[virginia].Follow(t.Context(), frankfurt, regions[frankfurt].Addr()))
	require.NoError(t, regions[frankfurt].Follow(t.Context(), virginia, regions[virginia].Addr()))
}

// A user signs out at the identity provider while the Regions don't reach each other. The session of the Region with
// the logout URL ends at once, the other when the Regions reach each other again. Assertions of before are refused in
// both, and a new sign-in works.
func testLogoutDuringAPartition(t *testing.T, chromium context.Context) {
	w, regions := newReplicatedWorld(t)
	b := openTab(t, chromium)
	signedIn := func(region string) {
		t.Helper()
		b.at(w.portals[region] + "/")
		b.reads("Alice Adams", "Your access")
	}
	b.open(w.portals[frankfurt] + "/")
	b.signInAtIdP(w, alice)
	signedIn(frankfurt)
	b.open(w.portals[virginia] + "/")
	signedIn(virginia)
	late := map[string]*tab{}
	for region := range regions {
		tab := openTab(t, b.ctx)
		tab.block(w.idp.URL + "/mockidp/assets/submit.js") // so the answer waits for a click
		tab.open(w.portals[region] + "/login")
		tab.until(`document.querySelector("#answer button")`)
		late[region] = tab
	}
	refused := func(region string) {
		t.Helper()
		late[region].click("#answer button")
		late[region].reads("You were signed out", "You signed out at your identity provider", "MRD-")
	}

	regions[virginia].RemovePeer(frankfurt)
	regions[frankfurt].RemovePeer(virginia)
	b.open(w.idp.DashboardURL())
	b.click(`form[action="/login/signout"] button`)
	b.reads("PartialLogout") // the identity provider's last page
	b.open(w.portals[frankfurt] + "/")
	signedIn(frankfurt)
	b.open(w.portals[virginia] + "/")
	b.at(w.idp.URL + "/*")
	refused(virginia)

	connect(t, regions)
	require.Eventually(t, func() bool {
		known, _ := regions[frankfurt].Known(t.Context())
		return known == 0
	}, patience, tick)
	b.open(w.portals[frankfurt] + "/")
	b.at(w.idp.URL + "/*")
	refused(frankfurt)
	b.signInAtIdP(w, alice)
	signedIn(frankfurt)
	b.open(w.portals[virginia] + "/")
	signedIn(virginia)
}
