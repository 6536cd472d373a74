package hostile_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// idps are identity providers by entity ID.
type idps map[string]*saml.IdP

func (m idps) IdP(entityID string) (*saml.IdP, error) { return m[entityID], nil }

// several is a service provider that trusts some identity providers, and signs users in at the first.
func several(t *testing.T, servers ...*mockidp.Server) http.Handler {
	t.Helper()
	known, first := idps{}, ""
	for _, s := range servers {
		idp, err := saml.ParseIdPMetadata(s.Metadata(""))
		require.NoError(t, err)
		known[idp.EntityID()] = idp
		if first == "" {
			first = idp.EntityID()
		}
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example/saml", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdPs: known,
	})
	require.NoError(t, err)
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler),
		ChooseIdP: func(*http.Request) string { return first },
		OnLogin: func(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprintf(w, "Hello, %s of %s", l.Assertion.NameID().Value, l.Assertion.Issuer())
		},
	})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	for _, s := range servers {
		require.NoError(t, s.RegisterSP("", metadata))
	}
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login"})
	return mux
}

// In family I the other identity provider is a tenant or, for a tenant, the Server itself.
func TestSeveralIdentityProviders(t *testing.T) {
	t.Parallel()
	c := mockidp.Config{TenantKeys: true}
	hostile.Arm(&c)
	root := mockidp.New(c)
	t.Cleanup(root.Close)
	tenant, err := root.Tenant("other")
	require.NoError(t, err)
	for _, servers := range [][]*mockidp.Server{{root, tenant}, {tenant, root}} {
		sp := several(t, servers...)
		for _, x := range attack.Cases() {
			if !x.Needs.SP.OtherIdP || x.Needs.Encrypted {
				continue
			}
			for _, id := range []string{"", x.ID} {
				require.NoError(t, servers[0].SetMutation(id, "", ""))
				page, err := testkit.SignInHandler(servers[0], sp, "https://sp.example/login", mockidp.DefaultLogin)
				require.NoError(t, err)
				if id == "" {
					assert.Equal(t, http.StatusOK, page.Status, page.Body)
				} else {
					assert.Equal(t, http.StatusForbidden, page.Status, "%s: %s", id, page.Body)
					all := servers[0].Messages()
					assert.Equal(t, id, all[len(all)-1].Attack)
				}
			}
		}
	}
}

// Without another identity provider, or with one that has the same key, they can't be made.
func TestOtherIdentityProviderIsMissing(t *testing.T) {
	var c mockidp.Config
	hostile.Arm(&c)
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	several(t, idp)
	require.NoError(t, idp.SetMutation("I02/key", "", ""))
	_, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.ErrorContains(t, err, "OtherIdP")
	_, err = idp.Tenant("other")
	require.NoError(t, err)
	_, err = idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.ErrorContains(t, err, "Config.TenantKeys")
}
