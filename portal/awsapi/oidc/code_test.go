package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestSignInByCode(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	p := open(t, b, c.authorizeURL())
	assert.Equal(t, "/client", p.URL.Path)
	for _, text := range []string{"Allow access?", "botocore-client-primary", "access your accounts and roles as you",
		"alice@example.com", virginia, "127.0.0.1"} {
		assert.Contains(t, p.Text(), text)
	}
	r := c.login(b)
	assert.Regexp(t, `^aoa[A-Za-z0-9_-]+$`, r.text("accessToken"))
	assert.Regexp(t, `^aor[A-Za-z0-9_-]+$`, r.text("refreshToken"))
	assert.Equal(t, "Bearer", r.text("tokenType"))
	assert.EqualValues(t, 3600, r.Body["expiresIn"])
	g, err := w.servers[virginia].Grant(t.Context(), r.text("accessToken"))
	require.NoError(t, err)
	assert.Equal(t, "alice@example.com", g.UserName)

	denied := press(t, open(t, b, c.authorizeURL()), "deny")
	to, err := url.Parse(denied.Location())
	require.NoError(t, err)
	assert.Equal(t, c.redirect, "http://"+to.Host+to.Path)
	assert.Equal(t, "access_denied", to.Query().Get("error"))
	assert.Equal(t, "a-state", to.Query().Get("state"))
	assert.NotEmpty(t, to.Query().Get("error_description"))
	assert.Empty(t, to.Query().Get("code"))
	for _, secret := range []string{r.text("accessToken"), r.text("refreshToken"), c.secret, c.verify} {
		assert.NotContains(t, w.logged(), secret)
	}
}

// Rule 1: PKCE with S256 only.
func TestChallengeIsRequired(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	atProgram := func(edit func(url.Values)) url.Values {
		q := c.query()
		edit(q)
		p := open(t, b, apiOf(virginia)+"/authorize?"+q.Encode())
		to, err := url.Parse(p.Location())
		require.NoError(t, err)
		require.Equal(t, "127.0.0.1:45999", to.Host, "%d %s", p.Status, p.Text())
		return to.Query()
	}
	for name, edit := range map[string]func(url.Values){
		"plain":               func(q url.Values) { q.Set("code_challenge_method", "plain") },
		"no method":           func(q url.Values) { q.Del("code_challenge_method") },
		"no challenge":        func(q url.Values) { q.Del("code_challenge") },
		"a short one":         func(q url.Values) { q.Set("code_challenge", challenge(c.verify)[:42]) },
		"a long one":          func(q url.Values) { q.Set("code_challenge", challenge(c.verify)+"A") },
		"not base64url":       func(q url.Values) { q.Set("code_challenge", strings.Repeat("+", 43)) },
		"not canonical":       func(q url.Values) { q.Set("code_challenge", strings.Repeat("A", 42)+"B") },
		"with a line's end":   func(q url.Values) { q.Set("code_challenge", strings.Repeat("A", 42)+"\n") },
		"a long state":        func(q url.Values) { q.Set("state", strings.Repeat("s", 513)) },
		"a state of controls": func(q url.Values) { q.Set("state", "a\r\nb") },
	} {
		got := atProgram(edit)
		assert.Equal(t, "invalid_request", got.Get("error"), name)
		assert.Empty(t, got.Get("code"), name)
	}
	got := atProgram(func(q url.Values) { q.Set("response_type", "token") })
	assert.Equal(t, "unsupported_response_type", got.Get("error"))
	assert.Equal(t, "a-state", got.Get("state"))
	got = atProgram(func(q url.Values) { q.Set("scopes", scope+" codewhisperer:completions") })
	assert.Equal(t, "invalid_scope", got.Get("error"))

	for name, verifier := range map[string]any{
		"short": strings.Repeat("v", 42), "long": strings.Repeat("v", 129), "other letters": strings.Repeat("v", 42) + "+",
		"missing": nil, "empty": "",
	} {
		r := c.post("/token", c.codeFields(c.code(b)).with("codeVerifier", verifier))
		require.Equal(t, "InvalidRequestException", r.Exception, name)
	}
	c.refused(c.post("/token", c.codeFields(c.code(b)).with("codeVerifier", strings.Repeat("v", 43))), 400,
		"InvalidGrantException")
	for _, verifier := range []string{strings.Repeat("v", 43), strings.Repeat("~", 128)} {
		c.verify = verifier
		c.login(b)
	}
}

// Rule 2: the redirect URI is a registered one of this computer, equal but for the port. A wrong one shows a page.
func TestRedirectURI(t *testing.T) {
	w := newWorld(t, nil)
	reg := asCLI(virginia)
	for _, bad := range []string{"https://127.0.0.1/oauth/callback", "http://localhost/oauth/callback",
		"http://127.0.0.1/", "http://127.0.0.1/oauth/callback/", "http://127.0.0.1/oauth/callback?x",
		"http://127.0.0.2/oauth/callback",
		"http://127.0.0.1/oauth/callback#x", "http://u@127.0.0.1/oauth/callback", "http://evil.example/oauth/callback",
		"http://127.0.0.1.evil.example/oauth/callback", "http://127.0.0.1:0/oauth/callback",
		"HTTP://127.0.0.1/oauth/callback",
		"http://127.0.0.1:65536/oauth/callback", "http://127.0.0.1:080/oauth/callback", "http://127.0.0.1:/oauth/callback",
		"http://[::1%25eth0]/oauth/callback", "http://2130706433/oauth/callback", "javascript:alert(1)", ""} {
		c := &cli{w: w, region: virginia}
		c.refused(c.post("/client/register", reg.with("redirectUris", []string{bad})), 400, "InvalidRedirectUriException")
	}
	many := strings.Split(strings.Repeat("http://127.0.0.1/oauth/callback ", 11), " ")[:11]
	(&cli{w: w}).refused((&cli{w: w, region: virginia}).post("/client/register", reg.with("redirectUris", many)), 400,
		"InvalidRedirectUriException")
	(&cli{w: w}).refused((&cli{w: w, region: virginia}).post("/client/register", reg.with("redirectUris", nil)), 400,
		"InvalidRedirectUriException")

	c, b := w.client(virginia, reg), w.browser(virginia, "alice@example.com")
	v6 := w.client(virginia, reg.with("redirectUris", []string{"http://[::1]:7/oauth/callback"}))
	for _, to := range []string{"http://[::1]:45999/oauth/callback", "https://127.0.0.1:45999/oauth/callback",
		"http://127.0.0.1:45999/other", "http://127.0.0.1:45999/oauth/callback?a=b", "http://localhost:45999/oauth/callback",
		"http://evil.example/oauth/callback", "http://127.0.0.1:99999/oauth/callback", ""} {
		c.redirect = to
		p := open(t, b, c.authorizeURL())
		assert.Equal(t, http.StatusBadRequest, p.Status, to)
		assert.Empty(t, p.Location(), to)
		assert.Contains(t, p.Text(), "can't be answered")
		assert.Contains(t, p.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
		if to != "" {
			assert.NotContains(t, p.Body, to)
		}
	}
	for _, to := range []string{"http://127.0.0.1:1/oauth/callback", "http://127.0.0.1:65535/oauth/callback",
		"http://127.0.0.1/oauth/callback"} {
		c.redirect = to
		c.login(b)
	}
	v6.redirect = "http://[::1]:45999/oauth/callback"
	p := open(t, b, v6.authorizeURL())
	assert.Contains(t, p.Header.Get("Content-Security-Policy"), "form-action 'self' http:;")
	v6.login(b)
	v6.redirect = "http://127.0.0.1:45999/oauth/callback"
	assert.Equal(t, http.StatusBadRequest, open(t, b, v6.authorizeURL()).Status)
}

func TestAuthorizeRefusesWrongClients(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	device := w.client(virginia, asDevice())
	there := w.client(frankfurt, asCLI(frankfurt))
	for name, id := range map[string]string{"unknown": "x", "none": "", "of the other Region": there.id,
		"a secret": c.secret, "for devices": device.id, "changed": c.id[:len(c.id)-2] + "AA"} {
		q := c.query()
		q.Set("client_id", id)
		p := open(t, b, apiOf(virginia)+"/authorize?"+q.Encode())
		assert.Equal(t, http.StatusBadRequest, p.Status, name)
		assert.Empty(t, p.Location(), name)
	}
	for _, raw := range []string{c.query().Encode() + "&state=second", "%zz", strings.Repeat("a", 9000)} {
		p := open(t, b, apiOf(virginia)+"/authorize?"+raw)
		assert.Equal(t, http.StatusBadRequest, p.Status)
	}
	p, err := b.Post(apiOf(virginia), c.authorizeURL(), url.Values{})
	require.NoError(t, err)
	assert.Equal(t, http.StatusMethodNotAllowed, p.Status)
	w.clock.Advance(90 * 24 * time.Hour)
	assert.Equal(t, http.StatusBadRequest, open(t, b, c.authorizeURL()).Status, "expired")
}

// Rule 3: a code is valid once, and for what it was asked with. A wrong use doesn't use it up.
func TestCodeIsBound(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	other, there := w.client(virginia, asCLI(virginia)), w.client(frankfurt, asCLI(frankfurt))
	code := c.code(b)
	good := c.codeFields(code)
	for name, bad := range map[string]fields{
		"another client": good.with("clientId", other.id).with("clientSecret", other.secret),
		"another port":   good.with("redirectUri", "http://127.0.0.1:45998/oauth/callback"),
		"no redirect":    good.with("redirectUri", nil),
		"a verifier":     good.with("codeVerifier", strings.Repeat("w", 60)),
		"changed":        good.with("code", code[:len(code)-2]+"AA"),
		"none":           good.with("code", nil),
		"a long one":     good.with("code", strings.Repeat("A", 20_000)),
	} {
		r := c.post("/token", bad)
		require.Equal(t, "InvalidGrantException", r.Exception, name)
		require.Equal(t, 400, r.Status)
	}
	c.refused(there.post("/token", there.codeFields(code)), 400, "InvalidGrantException")
	c.must(c.redeem(code))

	late := c.code(b)
	w.clock.Advance(2*time.Minute + time.Second)
	c.refused(c.redeem(late), 400, "InvalidGrantException")
	early := c.code(b)
	w.clock.Advance(time.Minute)
	c.must(c.redeem(early))
}

func TestSecondUseOfACodeEndsTheFirst(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	code := c.code(b)
	stays := c.login(b)
	r := c.must(c.redeem(code))
	require.True(t, w.isIn(virginia, r.text("accessToken")))
	wrong := c.post("/token", c.codeFields(code).with("codeVerifier", strings.Repeat("w", 60)))
	c.refused(wrong, 400, "InvalidGrantException")
	require.True(t, w.isIn(virginia, r.text("accessToken")), "who doesn't know the verifier ends nothing")
	c.refused(c.redeem(code), 400, "InvalidGrantException")
	require.False(t, w.isIn(virginia, r.text("accessToken")))
	c.refused(c.refresh(r.text("refreshToken")), 400, "InvalidGrantException")
	require.True(t, w.isIn(virginia, stays.text("accessToken")), "another authorization lives on")
	assert.Equal(t, http.StatusOK, open(t, b, portalOf(virginia)+"/").Status)
}

// Of concurrent uses at most one gets tokens, and if two were made, those end.
func TestConcurrentUsesOfACode(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	for range 20 {
		code := c.code(b)
		replies := make([]reply, 4)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() { replies[i] = c.redeem(code) })
		}
		wg.Wait()
		for _, r := range replies {
			if r.Status == http.StatusOK {
				assert.False(t, w.isIn(virginia, r.text("accessToken")))
			}
		}
	}
}

// Rule 8: an authorization ends with what it belongs to, also between the answer and the program's request.
func TestCodeOfASignInThatEnded(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	code := c.code(b)
	p := open(t, b, portalOf(virginia)+"/")
	f, ok := p.FormFor("/sign-out")
	require.True(t, ok)
	_, err := b.Submit(p, f, nil)
	require.NoError(t, err)
	c.refused(c.redeem(code), 400, "InvalidGrantException")

	b = w.browser(virginia, "alice@example.com")
	code = c.code(b)
	require.NoError(t, w.sessions.RevokeUser(t.Context(), "alice@example.com"))
	c.refused(c.redeem(code), 400, "InvalidGrantException")
	c.login(w.browser(virginia, "alice@example.com"))
}

// A request is answered once, whichever user answers it.
func TestRequestIsAnsweredOnce(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asCLI(virginia))
	alice, bob := w.browser(virginia, "alice@example.com"), w.browser(virginia, "bob@example.com")
	first := open(t, alice, c.authorizeURL())
	second := open(t, bob, first.URL.String())
	require.Equal(t, http.StatusOK, second.Status)
	press(t, first, "allow")
	p := press(t, second, "allow")
	assert.Equal(t, http.StatusBadRequest, p.Status)
	assert.Empty(t, p.Location())

	late := open(t, alice, c.authorizeURL())
	w.clock.Advance(10*time.Minute + time.Second)
	assert.Equal(t, http.StatusBadRequest, press(t, late, "allow").Status)
}

// Rule 52: a browser goes to the portal of the Region that the program asked, and signs in there. No other Region takes
// part.
func TestRule52BrowsersGoToTheRegionsPortal(t *testing.T) {
	w := newWorld(t, nil)
	for _, region := range []string{virginia, frankfurt} {
		c, other := w.client(region, asCLI(region)), map[string]string{virginia: frankfurt, frankfurt: virginia}[region]
		b := testkit.NewBrowser(t.Context())
		b.Transport = w.hosts
		b.Stay = func(to *url.URL) bool { return to.Path == "/oauth/callback" }
		p, err := b.SignInAs(w.idp, c.authorizeURL(), "alice@example.com")
		require.NoError(t, err)
		assert.Equal(t, portalOf(region), p.Origin())
		assert.Contains(t, p.Text(), "Allow access?")
		for _, visit := range b.Trail {
			assert.NotContains(t, visit.URL, other+".")
		}
		d := w.client(region, asDevice()).device() // checks the addresses
		assert.Contains(t, d.page, portalOf(region))
		assert.NotContains(t, d.page, other)
		c.login(b)
	}
}
