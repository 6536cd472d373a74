package browser_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
	"github.com/meridian-saml/meridian/portal/center"
)

// programs is a world whose Regions let programs in. The API is at another host of the portal's port.
type programs struct {
	*world
	clients map[string]*oidc.Server
}

func newPrograms(t *testing.T) *programs {
	t.Helper()
	w := &programs{clients: map[string]*oidc.Server{}}
	sealer, err := awsapi.NewSealer(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	around := func(h http.Handler) http.Handler {
		p, ok := h.(*portal.Portal)
		require.True(t, ok)
		clients, err := oidc.New(oidc.Config{
			Portal: p, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc",
			Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		require.NoError(t, err)
		w.clients[p.Region()] = clients
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.Host, "oidc.") {
				clients.ServeHTTP(rw, r)
				return
			}
			clients.Pages().ServeHTTP(rw, r)
		})
	}
	w.world = newWorldOf(t, map[string]wrapper{virginia: around, frankfurt: around}, func(string, *center.Data) {},
		func(c *portal.Config) { c.AWS = true })
	return w
}

func (w *programs) api(region string) string {
	return strings.Replace(w.portals[region], "://", "://oidc.", 1)
}

// program is a command line: a client of the API, and a server that waits for the browser on a port of its own.
type program struct {
	t        *testing.T
	w        *programs
	region   string
	id       string
	secret   string
	redirect string
	verifier string
	answers  chan url.Values
}

// listen starts the program's server on a loopback address, such as 127.0.0.1.
func (p *program) listen(host string) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return false
	}
	p.answers = make(chan url.Values, 4)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/callback" {
			p.answers <- r.URL.Query()
		}
		rw.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(rw, "<!DOCTYPE html><title>program</title><link rel=icon href=data:,><p>the program has it")
	}))
	require.NoError(p.t, s.Listener.Close())
	s.Listener = l
	s.Start()
	p.t.Cleanup(s.Close)
	p.redirect = "http://" + l.Addr().String() + "/oauth/callback"
	return true
}

func (w *programs) program(t *testing.T, region, host string) *program {
	t.Helper()
	p := &program{t: t, w: w, region: region, verifier: strings.Repeat("verifier-", 6)}
	in := map[string]any{"clientName": "botocore-client-primary", "clientType": "public",
		"scopes": []string{"sso:account:access"}}
	if host != "" {
		if !p.listen(host) {
			return nil
		}
		in["grantTypes"] = []string{"authorization_code", "refresh_token"}
		in["redirectUris"] = []string{"http://" + strings.Replace(host, "::1", "[::1]", 1) + "/oauth/callback"}
	}
	out := p.post("/client/register", in)
	p.id, p.secret = out["clientId"].(string), out["clientSecret"].(string)
	return p
}

func (p *program) post(path string, in map[string]any) map[string]any {
	p.t.Helper()
	if p.id != "" {
		in["clientId"], in["clientSecret"] = p.id, p.secret
	}
	raw, err := json.Marshal(in)
	require.NoError(p.t, err)
	client := http.Client{Timeout: patience, Transport: &http.Transport{DialContext: testkit.DialLoopback}}
	defer client.CloseIdleConnections()
	res, err := client.Post(p.w.api(p.region)+path, "application/json", bytes.NewReader(raw))
	require.NoError(p.t, err)
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	require.NoError(p.t, json.NewDecoder(res.Body).Decode(&out))
	return out
}

func (p *program) authorizeURL() string {
	hash := sha256.Sum256([]byte(p.verifier))
	return p.w.api(p.region) + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {p.id}, "redirect_uri": {p.redirect}, "state": {"a-state"},
		"code_challenge_method": {"S256"}, "scopes": {"sso:account:access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(hash[:])},
	}.Encode()
}

// answer waits for the browser.
func (p *program) answer() url.Values {
	p.t.Helper()
	select {
	case v := <-p.answers:
		require.Equal(p.t, "a-state", v.Get("state"))
		return v
	case <-time.After(patience):
		require.Fail(p.t, "the browser did not arrive")
		return nil
	}
}

// redeem uses a code, and checks that the token lets in as alice, here only.
func (p *program) redeem(code string) {
	p.t.Helper()
	p.hasAccess(p.post("/token", map[string]any{"grantType": "authorization_code", "code": code,
		"codeVerifier": p.verifier, "redirectUri": p.redirect}))
}

func (p *program) hasAccess(out map[string]any) {
	p.t.Helper()
	token, _ := out["accessToken"].(string)
	require.NotEmpty(p.t, token, "%v", out)
	for region, clients := range p.w.clients {
		g, err := clients.Grant(p.t.Context(), token)
		if region == p.region {
			require.NoError(p.t, err)
			assert.Equal(p.t, alice, g.UserName)
		} else {
			assert.Error(p.t, err)
		}
	}
}

// A command line signs in through the browser: by redirect to its port, whose address may be of IPv6, and by code.
func testPrograms(t *testing.T, chromium context.Context) {
	w := newPrograms(t)
	b := newTab(t, chromium)
	b.withoutScript()
	for _, region := range []string{virginia, frankfurt} {
		p := w.program(t, region, "127.0.0.1")
		b.open(p.authorizeURL())
		if region == virginia {
			b.signInAtIdP(w.world, alice)
		}
		b.reads("If it does not, use the button.") // without script, the identity provider's page waits for the user
		b.click(`form button`)
		b.at(w.portals[region] + "/client?request=*")
		b.reads("Allow access?", "botocore-client-primary", region, "access your accounts and roles as you")
		b.click(`button[value=allow]`)
		b.at(p.redirect + "?code=*")
		b.reads("the program has it")
		p.redeem(p.answer().Get("code"))

		b.open(p.authorizeURL())
		b.click(`button[value=deny]`)
		b.at(p.redirect + "?error=access_denied*")
		assert.Empty(t, p.answer().Get("code"))
	}
	if p := w.program(t, virginia, "::1"); p != nil {
		b.open(p.authorizeURL())
		b.click(`button[value=allow]`)
		b.at(p.redirect + "?code=*")
		p.redeem(p.answer().Get("code"))
	} else {
		t.Log("this machine has no IPv6")
	}

	d := w.program(t, virginia, "")
	device := d.post("/device_authorization", map[string]any{"startUrl": w.portals[virginia]})
	poll := map[string]any{"grantType": "urn:ietf:params:oauth:grant-type:device_code", "deviceCode": device["deviceCode"]}
	assert.Equal(t, "authorization_pending", d.post("/token", poll)["error"])
	b.open(device["verificationUriComplete"].(string))
	b.reads("Authorization requested", "this same code")
	b.click(`button[value=continue]`)
	b.reads("This may be another computer", device["userCode"].(string))
	assert.Equal(t, "authorization_pending", d.post("/token", poll)["error"])
	b.click(`button[value=allow]`)
	b.reads("Request approved")
	var got map[string]any
	require.Eventually(t, func() bool { // more than two polls in an interval are too many
		got = d.post("/token", poll)
		return got["error"] != "slow_down"
	}, time.Minute, time.Second)
	d.hasAccess(got)
}

// testAuditPrograms is about the pages on which users let programs in.
func testAuditPrograms(t *testing.T, chromium context.Context) {
	w := newPrograms(t)
	b := openTab(t, chromium)
	b.expectRefusals() // of a wrong code, and of a wrong request
	p, d := w.program(t, virginia, "127.0.0.1"), w.program(t, virginia, "")
	b.open(p.authorizeURL())
	b.signInAtIdP(w.world, alice)
	b.reads("Allow access?")
	b.audit("program-allow")
	b.click(`button[value=allow]`)
	p.redeem(p.answer().Get("code"))

	device := func() (userCode, addr string) {
		out := d.post("/device_authorization", map[string]any{"startUrl": w.portals[virginia]})
		return out["userCode"].(string), out["verificationUriComplete"].(string)
	}
	b.open(w.portals[virginia] + "/device")
	b.reads("Enter the code of a program")
	b.audit("program-code")
	b.typeIn("#user_code", "BCDF-GHJK\r")
	b.reads("This code is not valid")
	b.audit("program-code-wrong")
	_, addr := device()
	b.open(addr)
	b.reads("Authorization requested")
	b.audit("program-code-given")
	b.click(`button[value=cancel]`)
	b.reads("Request denied")
	b.audit("program-denied")
	_, addr = device()
	b.open(addr)
	b.click(`button[value=continue]`)
	b.reads("This may be another computer")
	b.audit("program-device")
	b.click(`button[value=allow]`)
	b.reads("Request approved")
	b.audit("program-approved")
	b.do(chromedp.Navigate(w.portals[virginia] + "/sessions"))
	b.reads("botocore-client-primary")
	b.audit("program-sessions")
	b.open(w.portals[virginia] + "/accounts/111122223333/ReadOnlyAccess")
	b.reads("Access keys")
	b.audit("program-role")
	b.open(w.portals[virginia] + "/client?request=x")
	b.reads("can't be answered")
	b.audit("program-refused")
	b.open(w.api(virginia) + "/authorize?client_id=x")
	b.reads("can't be answered", "reference")
	b.audit("program-authorize-refused")
}
