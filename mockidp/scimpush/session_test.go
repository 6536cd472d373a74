package scimpush_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/scimpush"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/saml"
)

// Who is deactivated here is out of the portal with the next push, session and all.
func TestDeactivatedUsersSessionEnds(t *testing.T) {
	const origin = "https://us-east-1.portal.example"
	idp, e := start(t, company(2, 1)), newEndpoint(t)
	sp := must(saml.New(saml.Config{EntityID: origin + "/saml", ACS: []saml.Endpoint{{URL: origin + "/saml/acs", Region: "us-east-1"}},
		IdP: must(saml.ParseIdPMetadata(idp.Metadata("")))}))
	require.NoError(t, idp.RegisterSP("", must(sp.Metadata())))
	door := must(portal.New(portal.Config{Region: "us-east-1", SP: sp, Directory: e.view, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler)}))
	p := must(scimpush.New(idp, e.where))
	must(p.Push(t.Context()))

	cookies := map[string]*http.Cookie{}
	send := func(r *http.Request) *httptest.ResponseRecorder {
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			if cookies[c.Name] = c; c.MaxAge < 0 {
				delete(cookies, c.Name)
			}
		}
		return w
	}
	form := must(idp.IdPInitiated("", "user0@example.com", ""))
	post := httptest.NewRequest("POST", form.URL, strings.NewReader(form.Values().Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := send(post)
	require.Equal(t, http.StatusSeeOther, w.Code, "%s", w.Body)
	send(httptest.NewRequest("GET", origin+w.Header().Get("Location"), nil))
	look := func() int { return send(httptest.NewRequest("GET", origin+"/applications", nil)).Code }
	require.Equal(t, http.StatusOK, look())
	must(p.Push(t.Context()))
	require.Equal(t, http.StatusOK, look())
	require.NoError(t, idp.UpdateUser("user0@example.com", func(u *mockidp.User) error { u.Status = mockidp.Deprovisioned; return nil }))
	must(p.Push(t.Context()))
	assert.NotEqual(t, http.StatusOK, look())
}
