package scimpush_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/scimpush"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/saml"
)

// The push after a deactivation ends the user's session in the portal.
func TestDeactivatedUsersSessionEnds(t *testing.T) {
	const origin = "https://us-east-1.portal.example"
	idp, e := start(t, company(2, 1)), newEndpoint(t)
	sp := must(saml.New(saml.Config{EntityID: origin + "/saml",
		ACS: []saml.Endpoint{{URL: origin + "/saml/acs", Region: "us-east-1"}},
		IdP: must(saml.ParseIdPMetadata(idp.Metadata("")))}))
	require.NoError(t, idp.RegisterSP("", must(sp.Metadata())))
	region := must(portal.New(portal.Config{Region: "us-east-1", SP: sp, Directory: e.view,
		Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler)}))
	p := must(scimpush.New(idp, e.where))
	must(p.Push(t.Context()))

	b := testkit.NewBrowser(t.Context())
	b.Transport = testkit.Handlers{"us-east-1.portal.example": region}
	form := must(idp.IdPInitiated("", "user0@example.com", ""))
	home := must(b.Post(idp.URL, form.URL, form.Values()))
	require.Equal(t, http.StatusOK, home.Status, home.Body)
	b.Stay = func(to *url.URL) bool { return to.Host != "us-east-1.portal.example" }
	status := func() int { return must(b.Open(origin + "/applications")).Status }
	require.Equal(t, http.StatusOK, status())
	must(p.Push(t.Context()))
	require.Equal(t, http.StatusOK, status())
	require.NoError(t, idp.UpdateUser("user0@example.com", func(u *mockidp.User) error {
		u.Status = mockidp.Deprovisioned
		return nil
	}))
	must(p.Push(t.Context()))
	assert.NotEqual(t, http.StatusOK, status())
}
