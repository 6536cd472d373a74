package examples_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// The page says of the sections with a configuration that they are from the documentation. Here the mock replays them.

const providersPage = "../acs/PROVIDERS.md"

const signinPath = ".signin.example/saml"

var providersRegions = []string{"us-east-1", "eu-central-1"}

// replay is a section of the page about a product.
type replay struct {
	config mockidp.Config
	format string // of the NameID
	nameID string
	// signs is the default of the product. With it, what the page has people change fails: encrypted assertions.
	signs        mockidp.Signing
	reason       saml.Reason // "": the default works
	perRegion    bool        // a service provider for each Region
	unlistedPage string      // what the product says of a URL that isn't listed
}

func replays(t *testing.T) map[string]replay {
	const emailFormat, unspecified = mockidp.NameIDEmail, mockidp.NameIDUnspecified
	alice := "alice@example.com"
	known := map[string]replay{
		"Okta":               {format: emailFormat, nameID: alice, signs: mockidp.SignBoth},
		"Microsoft Entra ID": {format: emailFormat, nameID: alice, signs: mockidp.SignAssertion, reason: saml.ReasonAlgorithm, unlistedPage: "AADSTS50011"},
		"Keycloak":           {format: unspecified, nameID: alice, signs: mockidp.SignResponse},
		"AD FS":              {format: unspecified, nameID: alice, signs: mockidp.SignAssertion, reason: saml.ReasonAlgorithm},
		"Google Workspace":   {format: emailFormat, nameID: alice, signs: mockidp.SignAssertion, perRegion: true},
	}
	raw, err := os.ReadFile(providersPage)
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```json\n(.*?)```")
	found := map[string]replay{}
	for _, section := range strings.Split(string(raw), "\n## ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		blocks := block.FindAllStringSubmatch(text, -1)
		if len(blocks) == 0 {
			require.NotContains(t, known, name)
			continue
		}
		require.Contains(t, known, name)
		require.Len(t, blocks, 1, name)
		require.Contains(t, strings.ReplaceAll(text, "\n", " "), "*From the documentation", name)
		r := known[name]
		r.config, err = configfile.Read([]byte(blocks[0][1]))
		require.NoError(t, err, name)
		r.config.Users = []mockidp.User{{Login: alice, FirstName: "Alice", LastName: "Example",
			Groups: []string{"Engineering", "Staff"}}}
		found[name] = r
	}
	require.Len(t, found, len(known))
	return found
}

// providersWorld is the service in two Regions, and the mock with a product's settings.
type providersWorld struct {
	t       *testing.T
	idp     *mockidp.Server
	regions map[string]http.Handler // by host
	last    *acs.Login
	refused saml.Reason
}

func newProvidersWorld(t *testing.T, r replay) *providersWorld {
	w := &providersWorld{t: t, idp: mockidp.New(r.config), regions: map[string]http.Handler{}}
	t.Cleanup(w.idp.Close)
	var sp *saml.ServiceProvider
	for i, name := range providersRegions {
		if i == 0 || r.perRegion {
			sp = w.serviceProvider(r, i)
		}
		region, err := acs.NewRegion(acs.Config{SP: sp, Region: name, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
			Logger: slog.New(slog.DiscardHandler), Unsolicited: acs.Accept,
			OnLogin: func(rw http.ResponseWriter, _ *http.Request, l *acs.Login) {
				w.last = l
				fmt.Fprint(rw, l.Region)
			},
			OnVerdict: func(_ context.Context, v acs.Verdict) { w.refused = saml.Reason(v.Reason) }})
		require.NoError(t, err)
		mux := http.NewServeMux()
		region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
		w.regions[name+".signin.example"] = mux
	}
	return w
}

// serviceProvider is the one of the page's table, or of one Region. The page has its entity ID and ACS URLs entered.
func (w *providersWorld) serviceProvider(r replay, i int) *saml.ServiceProvider {
	app := w.idp.Apps()[0]
	list := providersRegions
	if r.perRegion {
		app, list = w.idp.Apps()[i], list[i:i+1]
	}
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(app.ID))
	require.NoError(w.t, err)
	key := testkit.RSAKey("service provider")
	cfg := saml.Config{EntityID: "https://" + list[0] + signinPath, IdP: idp}
	if app.Encrypt != nil {
		cfg.DecryptionKeys = append(cfg.DecryptionKeys, key)
		cfg.EncryptionCertificate = testkit.Certificate(key, time.Now())
	}
	for _, name := range list {
		cfg.ACS = append(cfg.ACS, saml.Endpoint{URL: "https://" + name + signinPath + "/acs", Region: name})
	}
	sp, err := saml.New(cfg)
	require.NoError(w.t, err)
	require.Equal(w.t, app.Audience, sp.EntityID())
	for i, x := range app.ACS {
		require.Equal(w.t, cfg.ACS[i].URL, x.URL)
	}
	require.Equal(w.t, len(cfg.ACS), len(app.ACS))
	metadata, err := sp.Metadata()
	require.NoError(w.t, err)
	n := len(w.idp.Apps())
	_, err = w.idp.AddSP(metadata) // as -sp-metadata does; certificates aren't in the page's configuration
	require.NoError(w.t, err)
	require.Len(w.t, w.idp.Apps(), n)
	return sp
}

// open signs a user in, from an address of a Region or of a tile.
func (w *providersWorld) open(addr string) *testkit.Page {
	b := testkit.NewBrowser(w.t.Context())
	b.Transport = testkit.Handlers(w.regions)
	w.last, w.refused = nil, ""
	p, err := b.SignInAs(w.idp, addr, "alice@example.com")
	require.NoError(w.t, err)
	return p
}

func TestProvidersReplayed(t *testing.T) {
	for name, r := range replays(t) {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			w := newProvidersWorld(t, r)
			addresses := map[string]string{"": w.idp.TileURL(w.idp.Apps()[0].ID)}
			for _, region := range providersRegions {
				addresses[region] = "https://" + region + ".signin.example/login"
			}
			for region, addr := range addresses {
				p := w.open(addr)
				require.Equal(t, http.StatusOK, p.Status, w.refused)
				if region == "" {
					region = providersRegions[0] // the tile opens the default
				}
				require.Equal(t, region, p.Body)
				require.Equal(t, r.nameID, w.last.Assertion.NameID().Value)
				require.Equal(t, r.format, w.last.Assertion.NameID().Format)
				u, err := providersDecode(w.last)
				require.NoError(t, err)
				require.Equal(t, "{alice@example.com Alice Example [Engineering]}", fmt.Sprint(u))
			}

			for _, app := range w.idp.Apps() {
				require.NoError(t, w.idp.UpdateApp(app.ID, func(a *mockidp.App) error { a.Sign = r.signs; return nil }))
			}
			p := w.open(addresses["eu-central-1"])
			require.Equal(t, r.reason, w.refused, "with the product's default")
			require.Equal(t, r.reason == "", p.Status == http.StatusOK)
		})
	}
}

// A Region whose URL isn't entered can't sign users in, and the other one can.
func TestProvidersMissingURL(t *testing.T) {
	for name, r := range replays(t) {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			w := newProvidersWorld(t, r)
			apps := w.idp.Apps()
			require.NoError(t, w.idp.UpdateApp(apps[len(apps)-1].ID, func(a *mockidp.App) error {
				if a.ACS = a.ACS[:len(a.ACS)-1]; len(a.ACS) == 0 {
					a.ACS = []mockidp.ACS{{URL: "https://us-east-1.signin.example/saml/acs"}} // as in the other app
				}
				return nil
			}))
			require.Equal(t, "us-east-1", w.open("https://us-east-1.signin.example/login").Body)
			b := testkit.NewBrowser(t.Context())
			b.Transport = testkit.Handlers(w.regions)
			_, err := b.SignInAs(w.idp, "https://eu-central-1.signin.example/login", "alice@example.com")
			require.ErrorContains(t, err, "ended at the identity provider, with status 400")
			require.ErrorContains(t, err, r.unlistedPage)
		})
	}
}
