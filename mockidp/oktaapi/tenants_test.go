package oktaapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// Below /t/NAME/ the API is that of a tenant, also in its links.
func TestTenants(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	made := a.ok(200, "POST", "/t/one/api/v1/users", object{"profile": object{
		"login": "carol@example.com", "email": "carol@example.com", "firstName": "Carol", "lastName": "C"}})
	self := text2(dig(made, "_links.self.href"))
	assert.True(t, strings.HasPrefix(self, a.url+"/t/one/api/v1/users/"), self)
	a.ok(200, "GET", self, nil)
	logins := func(path string) string { return strings.Join(a.list(path, "profile.login"), " ") }
	assert.Contains(t, logins("/t/one/api/v1/users?limit=1"), "carol@example.com", "by links to the next page")
	assert.NotContains(t, logins("/t/two/api/v1/users?limit=1"), "carol@example.com")
	assert.NotContains(t, logins("/api/v1/users?limit=1"), "carol@example.com")

	one := must(a.idp.Tenant("one"))
	a.ok(200, "POST", "/t/one/control/clock", object{"advance": "1h"})
	assert.NotZero(t, one.ClockOffset())
	assert.Zero(t, a.idp.ClockOffset())
	a.ok(200, "POST", "/t/one/control/queue", object{"user": alice})
	assert.Empty(t, a.ok(200, "GET", "/control/queue", nil)["users"])
	a.ok(204, "POST", "/t/one/control/reset", nil)
	assert.NotContains(t, logins("/t/one/api/v1/users"), "carol@example.com")

	three := a.ok(200, "POST", "/control/tenants", object{"name": "three"})
	assert.Equal(t, a.idp.URL+"/t/three/login/login.htm", three["signIn"])
	list := a.ok(200, "GET", "/control/tenants", nil)["tenants"].([]any)
	require.Len(t, list, 3)
	assert.Equal(t, object{"name": "one", "signIn": one.SignInURL(), "dashboard": one.DashboardURL()}, list[0])
	a.ok(204, "DELETE", "/control/tenants/one", nil)
	a.refused(404, "E0000007", "DELETE", "/control/tenants/one", nil)
	assert.Len(t, a.idp.Tenants(), 2)
	assert.NotContains(t, logins("/t/one/api/v1/users"), "carol@example.com", "a new one")
	assert.NotSame(t, one, must(a.idp.Tenant("one")))

	a.refused(404, "E0000007", "GET", "/t/-x/api/v1/users", nil)
	a.refused(404, "E0000007", "POST", "/control/tenants", object{"name": "a/b"})
	a.refused(400, "E0000003", "POST", "/control/tenants", object{"names": "a"})
	a.refused(404, "E0000007", "GET", "/t/one/control/tenants", nil)
	resp, _ := a.do("GET", "/t/one/t/two/api/v1/users", nil)
	assert.Equal(t, 404, resp.StatusCode, "neither a path of the API nor a page")
	assert.Len(t, a.idp.Tenants(), 3)
}

func TestTooManyTenants(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.MaxTenants = 1
	a := newAPI(t, conf)
	a.ok(200, "GET", "/t/one/control/clock", nil)
	a.refused(503, "E0000010", "GET", "/t/two/control/clock", nil)
	a.refused(503, "E0000010", "POST", "/control/tenants", object{"name": "two"})
}

// Requests without the token, or without the page's cookie, make no tenant.
func TestTenantsNeedTheToken(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	h := oktaapi.New(idp, oktaapi.Config{Token: secret})
	for _, path := range []string{"/t/x/api/v1/users", "/t/x/", "/t/x", "/t/x/messages/1", "/t/x/control/clock"} {
		asked(h, "GET", "localhost", path, nil)
		asked(h, "GET", "localhost", path, map[string]string{"Authorization": "SSWS no", "Cookie": "mockidp_control=x"})
	}
	assert.Equal(t, 401, asked(h, "GET", "localhost", "/t/x/api/v1/users", nil).Code)
	assert.Empty(t, idp.Tenants())
}

// The page of a tenant is the Server's, with the tenant's state. One sign-in is for all.
func TestPageOfATenant(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	h := oktaapi.New(idp, oktaapi.Config{Token: secret})
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	b := newBrowser(t, idp)
	assert.Equal(t, 401, b.get(srv.URL+"/t/one/").Status)
	b.post(srv.URL+"/t/one/login", url.Values{"token": {secret}})
	require.NoError(t, must(idp.Tenant("one")).AddUser(mockidp.User{Login: "carol@example.com"}))
	page := b.get(srv.URL + "/t/one")
	assert.Equal(t, "/t/one/", page.URL.Path)
	page.contains(t, must(idp.Tenant("one")).SignInURL())
	assert.NotContains(t, b.get(srv.URL+"/").Body, must(idp.Tenant("one")).SignInURL())
	resp, err := http.Get(srv.URL + "/t/one/assets/style.css")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, 200, resp.StatusCode)
}

func TestTenantsAtOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t, twoRegions())
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() { a.ok(200, "GET", fmt.Sprintf("/t/t%d/control/clock", i%3), nil) })
	}
	all.Wait()
	assert.Len(t, a.idp.Tenants(), 3)
}
