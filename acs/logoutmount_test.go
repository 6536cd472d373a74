package acs_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// Regions of one process share the path of a logout URL: that in the metadata, and the same path of two hosts. Each
// gets the answers to its own requests, and only those.
func TestRegionsShareALogoutPath(t *testing.T) {
	const shared, slo = "https://signin.example/logout", "https://signin.example/slo"
	const us, eu = "us-east-1", "eu-central-1"
	for name, urls := range map[string]struct{ us, eu, published string }{
		"the first's, own paths":     {us: usLogout + "/us", eu: euLogout + "/eu"},
		"the first's, one path":      {us: usLogout, eu: euLogout},
		"LogoutURL, one path":        {us: usLogout, eu: euLogout, published: shared},
		"LogoutURL, its own path":    {us: usLogout, eu: euLogout, published: slo},
		"LogoutURL, three own paths": {us: usLogout + "/us", eu: euLogout + "/eu", published: slo},
	} {
		for _, order := range [][]string{{us, eu}, {eu, us}} {
			w := changedLogoutMessages(t, byPost, func(c *saml.Config) {
				c.ACS = []saml.Endpoint{{URL: usACS, Region: us}, {URL: euACS + "/eu", Region: eu}}
				c.Logout = []saml.LogoutEndpoint{{URL: urls.us, Region: us}, {URL: urls.eu, Region: eu}}
				c.LogoutURL = urls.published
			})
			mux, regions, ended := http.NewServeMux(), map[string]*acs.Region{}, ""
			for _, name := range order {
				cfg := w.regionConfig(name)
				cfg.Store, cfg.EndSessions = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now}), endNothing
				cfg.OnLoggedOut = func(http.ResponseWriter, *http.Request, *acs.LoggedOut) { ended = name }
				region, err := acs.NewRegion(cfg)
				require.NoError(t, err)
				region.Mount(mux, acs.Paths{})
				regions[name] = region
			}
			published := w.sp.PublishedLogoutURL()
			for name2, at := range map[string]string{us: urls.us, eu: urls.eu} {
				id, cookie := startedLogout(t, regions[name2], at)
				form := url.Values{"SAMLResponse": {w.signedLogoutTo(published, "LogoutResponse", `InResponseTo="`+id+`"`, succeeded)}}
				if at != published {
					rec := serve(mux, logoutPost(published, form))
					require.Equal(t, http.StatusTemporaryRedirect, rec.Code, "%s, %v: %s", name, order, w.logs)
					require.Equal(t, at, rec.Header().Get("Location"))
				}
				ended = ""
				serve(mux, logoutPost(at, form, cookie))
				require.Equal(t, name2, ended, "%s, %v: %s", name, order, w.logs)
			}
			request := w.signedLogoutTo(published, "LogoutRequest", "", "<saml:NameID>alice</saml:NameID>")
			rec := serve(mux, logoutPost(published, url.Values{"SAMLRequest": {request}}))
			require.Equal(t, http.StatusOK, rec.Code, "%s, %v: %s", name, order, w.logs)
		}
	}
}

// The path of a logout URL that the program or another service provider has taken is a mistake.
func TestMountedLogoutPathOfAnother(t *testing.T) {
	regionAt := func(acsURL string) *acs.Region {
		w := changedLogoutMessages(t, byPost, func(c *saml.Config) {
			c.ACS = []saml.Endpoint{{URL: acsURL, Region: "us-east-1"}}
			c.Logout = []saml.LogoutEndpoint{{URL: usLogout, Region: "us-east-1"}}
		})
		cfg := w.regionConfig("us-east-1")
		cfg.EndSessions = endNothing
		region, err := acs.NewRegion(cfg)
		require.NoError(t, err)
		return region
	}
	one, other := regionAt(usACS), regionAt(usACS+"/other")
	mux := http.NewServeMux()
	one.Mount(mux, acs.Paths{})
	require.Panics(t, func() { other.Mount(mux, acs.Paths{}) }, "of another service provider")
	mux = http.NewServeMux()
	mux.HandleFunc("/logout", http.NotFound)
	require.Panics(t, func() { one.Mount(mux, acs.Paths{}) }, "of the program")
	require.NotPanics(t, func() { other.Mount(http.NewServeMux(), acs.Paths{}) })
}
