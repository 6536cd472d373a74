package mockidp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// served calls the handler without a network, because some tests make thousands of requests.
func served(t *testing.T, idp *mockidp.Server, method, address string, form url.Values,
	cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	idp.Handler().ServeHTTP(w, r)
	return w
}

// The number of pending sign-ins is bounded. The oldest is dropped, and its page reports it.
func TestPendingSignInsAreBounded(t *testing.T) {
	idp := start(t, twoRegions())
	ask := func() url.Values {
		return page{&testkit.Page{Body: served(t, idp, "GET", redirect(idp, request(), "s"), nil).Body.String()}}.fields()
	}
	first, second := ask(), ask()
	for range 999 {
		require.NotEmpty(t, ask().Get("pending"))
	}
	for _, v := range []url.Values{first, second} {
		v.Set("username", alice)
		v.Set("password", mockidp.DefaultPassword)
	}
	b := newBrowser(t, idp)
	b.post(idp.SignInURL(), first).refused(t, 404, mockidp.ReasonRequestNotFound)
	b.post(idp.SignInURL(), second).answer(t)
}

// The same holds for sign-ins that wait for a second factor.
func TestPendingSecondFactorsAreBounded(t *testing.T) {
	idp := start(t, withFactor())
	ask := func() url.Values {
		to, err := url.Parse(served(t, idp, "POST", idp.SignInURL(),
			url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}}).Header().Get("Location"))
		require.NoError(t, err)
		return url.Values{"factor": {to.Query().Get("factor")}, "code": {"246810"}}
	}
	first, second := ask(), ask()
	for range 999 {
		require.NotEmpty(t, ask().Get("factor"))
	}
	b := newBrowser(t, idp)
	b.post(idp.URL+"/login/second-factor", first).refused(t, 404, mockidp.ReasonRequestNotFound)
	b.post(idp.URL+"/login/second-factor", second).contains(t, "My Apps")
	b.post(idp.URL+"/login/second-factor", second).refused(t, 404, mockidp.ReasonRequestNotFound) // once
}

// The number of sessions is bounded: with more than 10,000 the oldest ends.
func TestSessionsAreBounded(t *testing.T) {
	conf := twoRegions()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	conf.Now = func() time.Time { return now }
	idp := start(t, conf)
	signIn := func() *http.Cookie {
		w := served(t, idp, "POST", idp.SignInURL(), url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}})
		require.Equal(t, http.StatusSeeOther, w.Code)
		return w.Result().Cookies()[0]
	}
	in := func(c *http.Cookie) bool {
		return served(t, idp, "GET", idp.DashboardURL(), nil, c).Code == http.StatusOK
	}
	first := signIn()
	idp.Advance(time.Second)
	second := signIn()
	for range 9998 {
		signIn()
	}
	require.True(t, in(first) && in(second))
	third := signIn()
	assert.Equal(t, []bool{false, true, true}, []bool{in(first), in(second), in(third)})
	idp.Advance(3 * time.Hour)
	last := signIn()
	assert.Equal(t, []bool{false, false, true}, []bool{in(second), in(third), in(last)})
	for range 50 {
		signIn()
	}
	assert.True(t, in(last), "expired sessions made room")
}

// A pending sign-in expires after 30 minutes, and one that waits for the code after five.
func TestPendingSignInsExpire(t *testing.T) {
	idp := start(t, withFactor())
	b := newBrowser(t, idp)
	held := b.get(redirect(idp, request(), "s"))
	idp.Advance(29 * time.Minute)
	code := b.signIn(held, alice, mockidp.DefaultPassword)
	idp.Advance(4 * time.Minute)
	late := b.verify(code, "246810")
	late.refused(t, 404, mockidp.ReasonRequestNotFound) // the code was in time, but the request has expired
	b.get(idp.DashboardURL()).contains(t, "My Apps")

	other := newBrowser(t, idp)
	code = other.signIn(other.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	idp.Advance(5*time.Minute + time.Second)
	other.verify(code, "246810").refused(t, 404, mockidp.ReasonRequestNotFound)
	other.get(idp.DashboardURL()).contains(t, `name="password"`)
}

// A user may change between password and code.
func TestUserChangesBetweenPasswordAndCode(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*mockidp.Server) error
		status int
		says   string
	}{
		"removed": {func(idp *mockidp.Server) error { return idp.RemoveUser(alice) }, 400, "400 · NoSuchUser"},
		"renamed": {
			func(idp *mockidp.Server) error { return idp.RenameUser(alice, "ann@example.com") }, 400, "400 · NoSuchUser"},
		"locked":    {become(mockidp.LockedOut), 403, "This account is locked"},
		"suspended": {become(mockidp.Suspended), 403, "This account is locked"},
		"another code": {func(idp *mockidp.Server) error {
			return idp.UpdateUser(alice, func(u *mockidp.User) error { u.SecondFactor = "1"; return nil })
		}, 401, `role="alert"`},
	} {
		t.Run(name, func(t *testing.T) {
			idp := start(t, withFactor())
			b := newBrowser(t, idp)
			code := b.signIn(b.get(redirect(idp, request(), "s")), alice, mockidp.DefaultPassword)
			require.NoError(t, c.change(idp))
			p := b.verify(code, "246810")
			assert.Equal(t, c.status, p.Status)
			p.contains(t, c.says)
			assert.NotContains(t, p.Body, "SAMLResponse")
			b.get(idp.DashboardURL()).contains(t, `name="password"`)
		})
	}
}

func become(status mockidp.UserStatus) func(*mockidp.Server) error {
	return func(idp *mockidp.Server) error {
		return idp.UpdateUser(alice, func(u *mockidp.User) error { u.Status = status; return nil })
	}
}

// With RefuseByStatus the service provider learns of a lockout at the code as at the password.
func TestLockoutAtTheCodeByStatus(t *testing.T) {
	conf := withFactor()
	conf.MaxFailures = 1
	conf.Apps[0].Refusals = mockidp.RefuseByStatus
	idp := start(t, conf)
	b := newBrowser(t, idp)
	code := b.signIn(b.get(redirect(idp, request(), "s")), alice, mockidp.DefaultPassword)
	answer := b.verify(code, "wrong").answer(t)
	hasStatus(t, answer, mockidp.StatusResponder, mockidp.StatusAuthnFailed)
	assert.Equal(t, "s", answer.RelayState)
	u, _ := idp.User(alice)
	assert.Equal(t, mockidp.LockedOut, u.Status)
}

// The list of messages is bounded. IDs continue.
func TestMessagesAreBounded(t *testing.T) {
	idp := start(t, twoRegions())
	for i := range 205 {
		_, err := idp.IdPInitiated("idc", alice, fmt.Sprint(i))
		require.NoError(t, err)
	}
	ms := idp.Messages()
	require.Len(t, ms, 200)
	assert.Equal(t, []int64{6, 205}, []int64{ms[0].ID, ms[199].ID})
	assert.Equal(t, []string{"5", "204"}, []string{ms[0].RelayState, ms[199].RelayState})
	assert.Equal(t, mockidp.ReasonNoSuchMessage, reason(t, idp.RecordAnswer(5, mockidp.ACSAnswer{})))
	require.NoError(t, idp.RecordAnswer(6, mockidp.ACSAnswer{Status: 200}))
	ms[0].XML[0], ms[0].Form.RelayState = 'x', "x"
	assert.NotEqual(t, ms[0].XML[0], idp.Messages()[0].XML[0], "a copy")
	idp.ClearMessages()
	_, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, int64(206), idp.Messages()[0].ID)
	idp.Reset()
	_, err = idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, int64(207), idp.Messages()[0].ID)
}
