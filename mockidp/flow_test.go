package mockidp_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestSignInThenContinue(t *testing.T) {
	for _, binding := range []string{"redirect", "post"} {
		t.Run(binding, func(t *testing.T) {
			idp := start(t, twoRegions())
			b := newBrowser(t, idp)
			xml := request(attr("AssertionConsumerServiceURL", frank))
			ask := func() page {
				if binding == "redirect" {
					return b.get(redirect(idp, xml, "the state"))
				}
				v := postForm(xml)
				v.Set("RelayState", "the state")
				return b.post(idp.SSOURL("idc"), v)
			}
			form := ask()
			assert.Equal(t, 200, form.Status)
			assert.Contains(t, form.Body, "Identity Center – N. Virginia")

			again := b.signIn(form, alice, "wrong")
			assert.Equal(t, http.StatusUnauthorized, again.Status)
			assert.Contains(t, again.Body, `role="alert"`)
			b.signIn(again, "nobody@example.com", mockidp.DefaultPassword).contains(t, `role="alert"`)

			first := b.signIn(again, "ALICE@example.com ", mockidp.DefaultPassword).answer(t)
			assert.Equal(t, frank, first.URL)
			assert.Equal(t, "the state", first.RelayState)
			assert.Equal(t, alice, text(t, decode(t, first), "//NameID"), "the login as configured")

			// The session is kept: no password the second time, and the same SessionIndex.
			second := ask().answer(t)
			assert.Equal(t, attrOf(t, decode(t, first), "//AuthnStatement", "SessionIndex"),
				attrOf(t, decode(t, second), "//AuthnStatement", "SessionIndex"))
			assert.NotEqual(t, first.SAMLResponse, second.SAMLResponse)
		})
	}
}

func (p page) contains(t *testing.T, s string) {
	t.Helper()
	assert.Contains(t, p.Body, s)
}

// Rules 39 and 42: the dashboard has a SAML tile and a bookmark, which is an address without SAML.
func TestDashboard(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	home := b.signIn(b.get(idp.URL+"/"), alice, mockidp.DefaultPassword)
	home.contains(t, "My Apps")
	home.contains(t, `href="`+strings.TrimPrefix(idp.SSOURL("idc"), idp.URL)+`"`)
	home.contains(t, `href="/home/bookmark/mark"`)
	home.contains(t, "Alice Example")

	tile := b.get(idp.SSOURL("idc")).answer(t)
	assert.Equal(t, virginia, tile.URL)
	assert.Equal(t, "/start", tile.RelayState)
	assert.Equal(t, "/deep", b.get(idp.SSOURL("idc")+"?RelayState=/deep").answer(t).RelayState)
	mark := b.get(idp.URL + "/home/bookmark/mark")
	assert.Equal(t, http.StatusFound, mark.Status)
	assert.Equal(t, "http://eu-central-1.localhost:8712/start", mark.Header.Get("Location"))
}

func TestTilesAndBookmarksContinueAfterSignIn(t *testing.T) {
	idp := start(t, twoRegions())
	assert.Equal(t, virginia, func() string {
		b := newBrowser(t, idp)
		return b.signIn(b.get(idp.SSOURL("idc")), alice, mockidp.DefaultPassword).answer(t).URL
	}())
	b := newBrowser(t, idp)
	form := b.get(idp.URL + "/home/bookmark/mark")
	assert.NotContains(t, form.Header.Get("Content-Security-Policy"), "form-action", "Chromium would stop the redirect")
	assert.Equal(t, "http://eu-central-1.localhost:8712/start",
		b.signIn(form, alice, mockidp.DefaultPassword).Header.Get("Location"))
}

// Rule 41: apps and bookmarks are assigned to users and groups, each by itself.
func TestUnassignedUser(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	home := b.signIn(b.get(idp.SignInURL()), bob, "bob's own")
	home.contains(t, "No apps are assigned")
	assert.NotContains(t, home.Body, "Identity Center")
	b.get(idp.SSOURL("idc")).refused(t, 403, mockidp.ReasonNotAssigned)
	b.get(redirect(idp, request(), "")).refused(t, 403, mockidp.ReasonNotAssigned)
	b.post(idp.SSOURL("idc"), postForm(request())).refused(t, 403, mockidp.ReasonNotAssigned)
	b.get(idp.URL+"/home/bookmark/mark").refused(t, 403, mockidp.ReasonNotAssigned)
	_, err := idp.Answer(redirect(idp, request(), ""), bob)
	assert.Equal(t, mockidp.ReasonNotAssigned, reason(t, err))
	_, err = idp.IdPInitiated("idc", bob, "")
	assert.Equal(t, mockidp.ReasonNotAssigned, reason(t, err))
	_, err = idp.IdPInitiated("idc", "nobody", "")
	assert.Equal(t, mockidp.ReasonNoSuchUser, reason(t, err))
	_, err = idp.IdPInitiated("mark", alice, "")
	assert.Equal(t, mockidp.ReasonNotSAML, reason(t, err))

	// Assigned through a group, while the browser is signed in.
	updateUser(t, idp, bob, func(u *mockidp.User) { u.Groups = []string{"Engineering"} })
	assert.Equal(t, virginia, b.get(idp.SSOURL("idc")).answer(t).URL)
	b.get(idp.URL+"/home/bookmark/mark").refused(t, 403, mockidp.ReasonNotAssigned) // that was the SAML app alone
	home = b.get(idp.URL + "/")
	home.contains(t, "Identity Center – N. Virginia")
	assert.NotContains(t, home.Body, "Identity Center – Frankfurt")
}

func TestForceAuthn(t *testing.T) {
	now := &atomic.Int64{}
	now.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	conf := twoRegions()
	conf.Now = func() time.Time { return time.Unix(now.Load(), 0) }
	idp := start(t, conf)
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	now.Add(600)
	assert.Equal(t, "2026-01-01T00:00:00.000Z",
		attrOf(t, decode(t, b.get(redirect(idp, request(), "")).answer(t)), "//AuthnStatement", "AuthnInstant"))
	forced := redirect(idp, request(attr("ForceAuthn", "1")), "")
	form := b.get(forced)
	form.contains(t, "sign in again")
	form.contains(t, `value="`+alice+`"`)
	assert.Equal(t, "2026-01-01T00:10:00.000Z",
		attrOf(t, decode(t, b.signIn(form, alice, mockidp.DefaultPassword).answer(t)), "//AuthnStatement", "AuthnInstant"))
	// That sign-in counts for that request only.
	b.get(forced).contains(t, "sign in again")
	b.get(forced).contains(t, `name="password"`)
}

func TestForceAuthnIsPerBrowser(t *testing.T) {
	idp := start(t, twoRegions())
	mine, other := newBrowser(t, idp), newBrowser(t, idp)
	other.signIn(other.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	form := mine.get(redirect(idp, request(attr("ForceAuthn", "true")), ""))
	key := form.fields().Get("pending")
	require.NotEmpty(t, key)
	mine.signIn(form, alice, mockidp.DefaultPassword).answer(t)
	other.get(idp.URL+"/login/continue?pending="+key).contains(t, `name="password"`)
}

func TestIsPassive(t *testing.T) {
	for name, sign := range signings {
		t.Run(name, func(t *testing.T) { testIsPassive(t, sign) })
	}
}

// An error status is always signed itself: it has no assertion to carry a signature.
func testIsPassive(t *testing.T, sign mockidp.Signing) {
	conf := twoRegions()
	conf.Apps[0].Sign = sign
	idp := start(t, conf)
	b := newBrowser(t, idp)
	ask := redirect(idp, request(attr("IsPassive", "true"), attr("AssertionConsumerServiceURL", frank)), "s")
	noPassive := func(f mockidp.Form) {
		t.Helper()
		assert.Equal(t, frank, f.URL)
		assert.Equal(t, "s", f.RelayState)
		root := decode(t, f)
		assert.Equal(t, "id-1234", root.SelectAttrValue("InResponseTo", ""))
		assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:status:Responder", attrOf(t, root, "./Status/StatusCode", "Value"))
		assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:status:NoPassive",
			attrOf(t, root, "./Status/StatusCode/StatusCode", "Value"))
		assert.Nil(t, root.SelectElement("Assertion"))
		assert.NotNil(t, root.SelectElement("Signature"))
	}
	noPassive(b.get(ask).answer(t))
	v := postForm(request(attr("IsPassive", "true"), attr("AssertionConsumerServiceURL", frank)))
	v.Set("RelayState", "s")
	noPassive(b.post(idp.SSOURL("idc"), v).answer(t))
	b.get(redirect(idp, request(attr("IsPassive", "true"), attr("AssertionConsumerServiceURL", "http://evil.localhost/")),
		"s")).refused(t, 400, mockidp.ReasonUnlistedURL)

	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	assert.NotNil(t, decode(t, b.get(ask).answer(t)).SelectElement("Assertion"))
	// Both flags: the user would have to interact (SAML Core 3.4.1).
	noPassive(b.get(redirect(idp, request(attr("IsPassive", "true"), attr("ForceAuthn", "true"),
		attr("AssertionConsumerServiceURL", frank)), "s")).answer(t))
}

func TestSignOutAndExpiry(t *testing.T) {
	now := &atomic.Int64{}
	now.Store(time.Now().Unix())
	conf := twoRegions()
	conf.SessionLifetime = time.Hour
	conf.Now = func() time.Time { return time.Unix(now.Load(), 0) }
	idp := start(t, conf)
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
	stolen := b.Jar.Copy()
	out := b.post(idp.URL+"/login/signout", nil)
	out.contains(t, `name="password"`)
	b.Jar = stolen
	b.get(idp.DashboardURL()).contains(t, `name="password"`)

	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
	now.Add(3599)
	b.get(idp.SignInURL()).contains(t, "My Apps")
	now.Add(1)
	b.get(idp.DashboardURL()).contains(t, `name="password"`)

	form := b.get(redirect(idp, request(), ""))
	now.Add(1801)
	b.signIn(form, alice, mockidp.DefaultPassword).refused(t, 404, mockidp.ReasonRequestNotFound)
}

func TestCookie(t *testing.T) {
	idp, other := start(t, twoRegions()), start(t, twoRegions())
	cookie := func(idp *mockidp.Server) *http.Cookie {
		b := newBrowser(t, idp)
		p := b.post(idp.SignInURL(), url.Values{"username": {alice}, "password": {mockidp.DefaultPassword}})
		require.Contains(t, p.Body, "My Apps")
		require.Len(t, b.Jar["127.0.0.1"], 1)
		for _, c := range b.Jar["127.0.0.1"] {
			return c
		}
		return nil
	}
	c := cookie(idp)
	assert.True(t, c.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
	assert.Empty(t, c.Domain)
	assert.False(t, c.Secure, "clients other than browsers wouldn't send it back over http")
	assert.NotEqual(t, c.Name, cookie(other).Name, "two mocks on one address would share a cookie")

	secure := mockidp.NewUnstarted(twoRegions())
	t.Cleanup(secure.Close)
	secure.StartTLS()
	c = cookie(secure)
	assert.True(t, c.Secure)
	assert.True(t, strings.HasPrefix(c.Name, "__Host-"), c.Name)
}

func TestCrossSiteFormsAreRefused(t *testing.T) {
	idp := start(t, twoRegions())
	for _, path := range []string{"/login/login.htm", "/login/signout"} {
		req := must(http.NewRequest("POST", idp.URL+path,
			strings.NewReader("username="+alice+"&password="+mockidp.DefaultPassword)))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		r, err := idp.Client().Do(req)
		require.NoError(t, err)
		r.Body.Close()
		assert.Equal(t, 400, r.StatusCode)
		assert.Empty(t, r.Cookies())
	}
}

func TestPagesEscapeInput(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	evil := `"><script>alert(1)</script><input name="SAMLResponse" value="x`
	form := b.get(redirect(idp, request(), evil))
	failed := b.signIn(form, evil, evil)
	unlisted := b.get(redirect(idp, request(attr("AssertionConsumerServiceURL", evil)), evil))
	issuer := b.get(redirect(idp, strings.Replace(request(), entityID, html.EscapeString(evil), 1), evil))
	done := b.signIn(form, alice, mockidp.DefaultPassword)
	assert.Equal(t, evil, done.answer(t).RelayState, "echoed exactly")
	unlisted.refused(t, 400, mockidp.ReasonUnlistedURL)
	issuer.refused(t, 400, mockidp.ReasonIssuer)
	for _, p := range []page{form, failed, unlisted, issuer, done} {
		assert.NotContains(t, p.Body, "<script>")
		assert.NotContains(t, p.Body, evil)
		csp := p.Header.Get("Content-Security-Policy")
		assert.Contains(t, csp, "default-src 'none'")
		assert.NotContains(t, csp, "unsafe")
		assert.Equal(t, "nosniff", p.Header.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-store", p.Header.Get("Cache-Control"))
	}
	assert.Equal(t, 1, strings.Count(done.Body, "<script"), "the page's own script")
	done.contains(t, `<button class="primary" type="submit">Continue</button>`)
	done.contains(t, `action="`+virginia+`"`)
}

func TestRelayStateIsEchoedExactly(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	for _, state := range []string{"a b+c%20&d=e", "é漢\u00a0", " lead and trail ", strings.Repeat("x", 1024),
		`&amp;"'<>`} {
		assert.Equal(t, state, b.get(redirect(idp, request(), state)).answer(t).RelayState)
		form, err := idp.Answer(redirect(idp, request(), state), alice)
		require.NoError(t, err)
		assert.Equal(t, state, form.RelayState)
		assert.Equal(t, state, form.Values().Get("RelayState"))
	}
}

func TestMessages(t *testing.T) {
	idp := start(t, twoRegions())
	_, err := idp.Answer(redirect(idp, request(attr("AssertionConsumerServiceURL", frank)), "s"), alice)
	require.NoError(t, err)
	_, err = idp.Answer(redirect(idp, request(attr("AssertionConsumerServiceURL", "http://evil.localhost/")), ""), alice)
	require.Error(t, err)
	ms := idp.Messages()
	require.Len(t, ms, 3)
	assert.Equal(t, mockidp.Received, ms[0].Direction)
	assert.Contains(t, string(ms[0].XML), "AuthnRequest")
	assert.Equal(t, frank, ms[0].ACS)
	assert.Nil(t, ms[0].Refused)
	assert.Equal(t, mockidp.Sent, ms[1].Direction)
	assert.Equal(t, frank, ms[1].ACS)
	assert.Equal(t, alice, ms[1].User)
	assert.Contains(t, string(ms[1].XML), "<saml2p:Response")
	assert.Equal(t, mockidp.ReasonUnlistedURL, ms[2].Refused.Reason)
	assert.False(t, ms[0].Time.IsZero())
	ms[1].XML[0] = 'x'
	assert.NotEqual(t, ms[1].XML[0], idp.Messages()[1].XML[0], "the caller got the log's own bytes")
	for range 300 {
		_, _ = idp.Answer(redirect(idp, "x", ""), alice)
	}
	assert.Len(t, idp.Messages(), 200)
}

func TestConcurrentUseAndChanges(t *testing.T) {
	idp := start(t, twoRegions())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			b := newBrowser(t, idp)
			b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
			for range 10 {
				switch i % 4 {
				case 0:
					assert.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: frank}, {URL: virginia}}))
					assert.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: virginia}, {URL: frank}}))
				case 1:
					f := b.get(idp.SSOURL("idc")).answer(t)
					assert.Contains(t, []string{virginia, frank}, f.URL)
					assert.Equal(t, f.URL, attrOf(t, decode(t, f), "//SubjectConfirmationData", "Recipient"))
				case 2:
					f, err := idp.Answer(redirect(idp, request(attr("AssertionConsumerServiceURL", frank)), ""), alice)
					assert.NoError(t, err)
					assert.Equal(t, frank, f.URL)
				case 3:
					_, _ = idp.AddApp(mockidp.App{Label: "Another", Groups: []string{mockidp.Everyone}})
					assert.NoError(t, idp.UpdateUser(alice, func(u *mockidp.User) error { u.FirstName += "x"; return nil }))
					_, _, _ = idp.Messages(), idp.Apps(), idp.Metadata("idc")
				}
			}
		})
	}
	wg.Wait()
	u, _ := idp.User(alice)
	assert.Len(t, u.FirstName, len("Alice")+20, "a change was lost")
	assert.Len(t, idp.Apps(), 2+20)
}
