package oidc_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
)

// device is a program that shows a code.
type device struct {
	*cli
	code, userCode, page string
}

func (c *cli) device() *device {
	c.w.t.Helper()
	r := c.must(c.post("/device_authorization", fields{"clientId": c.id, "clientSecret": c.secret,
		"startUrl": portalOf(c.region)}))
	require.EqualValues(c.w.t, 600, r.Body["expiresIn"])
	require.EqualValues(c.w.t, 1, r.Body["interval"])
	require.Equal(c.w.t, portalOf(c.region)+"/device", r.text("verificationUri"))
	require.Equal(c.w.t, portalOf(c.region)+"/device?user_code="+r.text("userCode"), r.text("verificationUriComplete"))
	require.Regexp(c.w.t, `^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`, r.text("userCode"))
	return &device{c, r.text("deviceCode"), r.text("userCode"), r.text("verificationUriComplete")}
}

func (d *device) poll() reply {
	d.w.t.Helper()
	d.w.clock.Advance(time.Second)
	return d.pollNow()
}

func (d *device) pollNow() reply {
	d.w.t.Helper()
	return d.post("/token", fields{"clientId": d.id, "clientSecret": d.secret, "deviceCode": d.code,
		"grantType": "urn:ietf:params:oauth:grant-type:device_code"})
}

// enter opens the code's page and goes on to the question.
func (d *device) enter(b *testkit.Browser) *testkit.Page {
	d.w.t.Helper()
	return press(d.w.t, open(d.w.t, b, d.page), "continue")
}

func TestSignInByDeviceCode(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asDevice()), w.browser(virginia, "alice@example.com")
	d := c.device()
	d.refused(d.poll(), 400, "AuthorizationPendingException")
	p := open(t, b, d.page)
	assert.Contains(t, p.Body, `value="`+d.userCode+`"`)
	assert.Contains(t, p.Text(), "this same code")
	d.refused(d.poll(), 400, "AuthorizationPendingException")
	p = press(t, p, "continue")
	for _, text := range []string{"This may be another computer", "192.0.2.7", d.userCode, "botocore-client-primary"} {
		assert.Contains(t, p.Text(), text)
	}
	d.refused(d.poll(), 400, "AuthorizationPendingException")
	assert.Contains(t, press(t, p, "allow").Text(), "Request approved")
	r := d.must(d.poll())
	assert.True(t, w.isIn(virginia, r.text("accessToken")))
	d.must(d.refresh(r.text("refreshToken")))
	assert.NotContains(t, w.logged(), d.code)
	assert.NotContains(t, w.logged(), d.userCode)

	d = c.device()
	assert.Contains(t, press(t, d.enter(b), "deny").Text(), "Request denied")
	d.refused(d.poll(), 400, "AccessDeniedException")
	d.refused(d.poll(), 400, "AccessDeniedException")

	d = c.device()
	assert.Contains(t, press(t, open(t, b, d.page), "cancel").Text(), "Request denied")
	d.refused(d.poll(), 400, "AccessDeniedException")
}

// Rule 5: how often a program may poll, and for how long.
func TestPolls(t *testing.T) {
	w := newWorld(t, nil)
	d := w.client(virginia, asDevice()).device()
	d.refused(d.pollNow(), 400, "AuthorizationPendingException")
	w.clock.Advance(3 * time.Millisecond)
	d.refused(d.pollNow(), 400, "AuthorizationPendingException") // as AWS's command line begins
	d.refused(d.pollNow(), 400, "SlowDownException")
	for range 5 {
		d.refused(d.poll(), 400, "AuthorizationPendingException")
	}
	other := w.client(virginia, asDevice()).device()
	other.refused(other.pollNow(), 400, "AuthorizationPendingException")
	w.clock.Advance(10 * time.Minute)
	d.refused(d.poll(), 400, "ExpiredTokenException")
	assert.Equal(t, "expired_token", d.poll().Body["error"])
}

// A device code is its client's own, and its Region's. It is used once.
func TestDeviceCodeIsBound(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asDevice()), w.browser(virginia, "alice@example.com")
	d := c.device()
	press(t, d.enter(b), "allow")
	thief := &device{w.client(virginia, asDevice()), d.code, "", ""}
	thief.refused(thief.poll(), 400, "InvalidGrantException")
	there := &device{w.client(frankfurt, asDevice()), d.code, "", ""}
	there.refused(there.poll(), 400, "InvalidGrantException")
	for _, code := range []string{"", "x", d.code[:len(d.code)-2] + "AA", d.userCode, d.secret} {
		forged := &device{c, code, "", ""}
		forged.refused(forged.poll(), 400, "InvalidGrantException")
	}
	r := d.must(d.poll())
	require.True(t, w.isIn(virginia, r.text("accessToken")))
	d.refused(d.poll(), 400, "InvalidGrantException")
	require.False(t, w.isIn(virginia, r.text("accessToken")), "a second use ends what the first got")
	d.refused(d.poll(), 400, "InvalidGrantException")
}

// A device code, a user code and an answer survive a restart of the service.
func TestDeviceCodeSurvivesARestart(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asDevice()), w.browser(virginia, "alice@example.com")
	d := c.device()
	w.start(virginia, nil)
	d.refused(d.poll(), 400, "AuthorizationPendingException")
	p := d.enter(b)
	w.start(virginia, nil)
	press(t, p, "allow")
	w.start(virginia, nil)
	r := d.must(d.poll())
	w.start(virginia, nil)
	assert.True(t, w.isIn(virginia, r.text("accessToken")))
	d.must(d.refresh(r.text("refreshToken")))
}

// A user code is entered once, by a signed-in user, and answered in that session only.
func TestUserCode(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asDevice()), w.browser(virginia, "alice@example.com")
	for name, entered := range map[string]func(string) string{
		"as it is shown": func(s string) string { return s }, "in lower case": strings.ToLower,
		"without a hyphen":   func(s string) string { return strings.ReplaceAll(s, "-", "") },
		"with spaces around": func(s string) string { return " " + strings.ReplaceAll(s, "-", " ") + " " },
	} {
		d := c.device()
		p := enter(t, b, entered(d.userCode))
		require.Equal(t, "/client", p.URL.Path, name)
		again := enter(t, w.browser(virginia, "bob@example.com"), d.userCode)
		assert.Equal(t, http.StatusBadRequest, again.Status, name)
		assert.Contains(t, again.Text(), "not valid")
	}

	// An attacker enters the code of an own program, and sends the second page to a user.
	d := c.device()
	p := d.enter(w.browser(virginia, "bob@example.com"))
	stolen := open(t, b, p.URL.String())
	assert.Equal(t, http.StatusBadRequest, stolen.Status)
	assert.NotContains(t, stolen.Text(), "Allow access")

	// The request ends with the code.
	d = c.device()
	p = d.enter(b)
	w.clock.Advance(10 * time.Minute)
	assert.Equal(t, http.StatusBadRequest, press(t, p, "allow").Status)
	d = c.device()
	w.clock.Advance(10 * time.Minute)
	assert.Equal(t, http.StatusBadRequest, enter(t, b, d.userCode).Status)
}

// enter types a code at the portal.
func enter(t *testing.T, b *testkit.Browser, code string) *testkit.Page {
	t.Helper()
	p := open(t, b, portalOf(virginia)+"/device")
	f, ok := p.FormFor("/device")
	require.True(t, ok, "%s %s", p.URL, p.Text())
	next, err := b.Submit(p, f, map[string][]string{"user_code": {code}, "answer": {"continue"}})
	require.NoError(t, err)
	return next
}

func TestWrongUserCodesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asDevice()), w.browser(virginia, "alice@example.com")
	for _, wrong := range []string{"BCDF-GHJK", "", "AAAA-AAAA", strings.Repeat("B", 100), "BCDF-GHJ"} {
		p := enter(t, b, wrong)
		require.Equal(t, http.StatusBadRequest, p.Status, wrong)
	}
	d := c.device()
	p := enter(t, b, d.userCode)
	assert.Equal(t, http.StatusTooManyRequests, p.Status)
	assert.Equal(t, "900", p.Header.Get("Retry-After"))
	assert.Contains(t, p.Text(), "Too many wrong codes")
	again := w.browser(virginia, "alice@example.com")
	assert.Equal(t, http.StatusTooManyRequests, enter(t, again, d.userCode).Status, "in another session too")
	other := w.browser(virginia, "bob@example.com")
	assert.Equal(t, "/client", enter(t, other, d.userCode).URL.Path, "another user may")
	w.clock.Advance(15 * time.Minute)
	assert.Equal(t, "/client", enter(t, b, c.device().userCode).URL.Path)
	for range 10 { // right ones don't count
		require.Equal(t, "/client", enter(t, b, c.device().userCode).URL.Path)
	}

	for _, name := range others { // ten users: 50 a minute in all
		session := w.browser(virginia, name)
		for range 5 {
			require.Equal(t, http.StatusBadRequest, enter(t, session, "BCDF-GHJK").Status)
		}
	}
	assert.Equal(t, http.StatusTooManyRequests, enter(t, b, c.device().userCode).Status)
	w.clock.Advance(time.Minute)
	assert.Equal(t, "/client", enter(t, b, c.device().userCode).URL.Path)
}

func TestStartDeviceAuthorizationRefuses(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asDevice())
	ask := fields{"clientId": c.id, "clientSecret": c.secret, "startUrl": portalOf(virginia)}
	for _, start := range []any{portalOf(frankfurt), "https://d-1234567890.awsapps.com/start", "x"} {
		r := c.post("/device_authorization", ask.with("startUrl", start))
		c.refused(r, 400, "InvalidRequestException")
		assert.Equal(t, "Couldn't find Identity Center Instance", r.Body["error_description"])
	}
	c.refused(c.post("/device_authorization", ask.with("startUrl", nil)), 400, "InvalidRequestException")
	for _, start := range []string{portalOf(virginia) + "/start", awsStart, awsStart + ":443/start#"} {
		c.must(c.post("/device_authorization", ask.with("startUrl", start)))
	}
	w.start(virginia, func(c *oidc.Config) { c.RefuseDevices = true })
	c.refused(c.post("/device_authorization", ask), 400, "UnauthorizedClientException")
	pkce := w.client(virginia, asCLI(virginia))
	pkce.login(w.browser(virginia, "alice@example.com"))
}
