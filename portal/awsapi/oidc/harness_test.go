package oidc_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

const (
	virginia  = "us-east-1"
	frankfurt = "eu-central-1"
	scope     = "sso:account:access"
	awsStart  = "https://ssoins-7223aaaabbbbcccc.portal.us-east-1.app.aws"
)

// others are users besides Alice and Bob.
var others = strings.Fields("carol@example.com dave@example.com erin@example.com frank@example.com grace@example.com " +
	"heidi@example.com ivan@example.com judy@example.com mallory@example.com niaj@example.com")

func portalOf(region string) string { return "https://" + region + ".portal.example" }
func apiOf(region string) string    { return "https://oidc." + region + ".example" }

// world is an identity provider and two Regions, each with its portal and its service. They share the sessions.
type world struct {
	t        *testing.T
	clock    *testkit.Clock
	idp      *mockidp.Server
	inst     *center.Instance
	primary  *center.View
	sessions *sessions.MemoryStore
	stores   map[string]*acs.MemoryStore
	portals  map[string]*portal.Portal
	servers  map[string]*oidc.Server
	hosts    testkit.Handlers
	key      []byte

	mu  sync.Mutex
	log bytes.Buffer
}

func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// newWorld starts a world. edit changes each Region's Config, if it isn't nil.
func newWorld(t *testing.T, edit func(*oidc.Config)) *world {
	t.Helper()
	return newWorldWith(t, func(s sessions.Store) sessions.Store { return s }, edit)
}

// newWorldWith is newWorld with sessions that the portals see through a wrapper.
func newWorldWith(t *testing.T, wrap func(sessions.Store) sessions.Store, edit func(*oidc.Config)) *world {
	t.Helper()
	w := &world{
		t: t, clock: testkit.NewClock(time.Now().Truncate(time.Second)), key: bytes.Repeat([]byte{7}, 32),
		sessions: sessions.NewMemoryStore(sessions.MemoryConfig{Region: "everywhere"}), hosts: testkit.Handlers{},
		stores: map[string]*acs.MemoryStore{}, portals: map[string]*portal.Portal{}, servers: map[string]*oidc.Server{},
	}
	var d center.Data
	var users []mockidp.User
	for _, name := range append([]string{"alice@example.com", "bob@example.com"}, others...) {
		d.Users, users = append(d.Users, center.User{UserName: name}), append(users, mockidp.User{Login: name})
	}
	w.idp = mockidp.New(mockidp.Config{Now: w.clock.Now, Users: users})
	t.Cleanup(w.idp.Close)
	md, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	var endpoints []saml.Endpoint
	for _, region := range []string{virginia, frankfurt} {
		at := portalOf(region) + "/saml/acs"
		endpoints = append(endpoints, saml.Endpoint{URL: at, Region: region})
		d.Regions = append(d.Regions, center.Region{
			Name: region, PortalURLs: []string{portalOf(region)}, ACSURLs: []string{at},
		})
	}
	sp, err := saml.New(saml.Config{EntityID: portalOf(virginia) + "/saml", ACS: endpoints, IdP: md, Now: w.clock.Now})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", metadata))
	w.inst, err = center.New(d)
	require.NoError(t, err)
	w.primary, err = w.inst.In(virginia)
	require.NoError(t, err)
	for _, region := range []string{virginia, frankfurt} {
		view, err := w.inst.In(region)
		require.NoError(t, err)
		w.stores[region] = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
		w.portals[region], err = portal.New(portal.Config{
			Region: region, SP: sp, Directory: view, Store: w.stores[region], Sessions: wrap(w.sessions),
			Context: t.Context(),
			Logger:  slog.New(slog.NewTextHandler(w, nil)),
		})
		require.NoError(t, err)
		w.start(region, edit)
	}
	w.clock.Advance(2 * time.Second) // the stores refuse what is older than they are
	return w
}

// start starts a Region's service, or another node of it.
func (w *world) start(region string, edit func(*oidc.Config)) {
	w.t.Helper()
	sealer, err := awsapi.NewSealer(w.key)
	require.NoError(w.t, err)
	cfg := oidc.Config{
		Portal: w.portals[region], Store: w.stores[region], Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc",
		Logger: slog.New(slog.NewTextHandler(w, nil)),
	}
	if region == virginia {
		cfg.StartURLs = []string{awsStart}
	}
	if edit != nil {
		edit(&cfg)
	}
	s, err := oidc.New(cfg)
	require.NoError(w.t, err)
	w.servers[region] = s
	w.hosts[strings.TrimPrefix(portalOf(region), "https://")] = s.Pages()
	w.hosts[strings.TrimPrefix(apiOf(region), "https://")] = s
}

// browser returns a browser that is signed in at a Region. It stops at a program's address.
func (w *world) browser(region, login string) *testkit.Browser {
	w.t.Helper()
	b := testkit.NewBrowser(w.t.Context())
	b.Transport = w.hosts
	b.Stay = func(to *url.URL) bool { return to.Path == "/oauth/callback" }
	_, err := b.SignInAs(w.idp, portalOf(region)+"/", login)
	require.NoError(w.t, err)
	return b
}

func open(t *testing.T, b *testkit.Browser, addr string) *testkit.Page {
	t.Helper()
	p, err := b.Open(addr)
	require.NoError(t, err)
	return p
}

// press submits the form of a page with one of its buttons.
func press(t *testing.T, p *testkit.Page, button string) *testkit.Page {
	t.Helper()
	for _, f := range p.Forms() {
		if f.Action == "/client" || f.Action == "/device" {
			next, err := p.Browser.Submit(p, f, url.Values{"answer": {button}})
			require.NoError(t, err)
			return next
		}
	}
	require.Fail(t, "no form", "%s %d %s", p.URL, p.Status, p.Text())
	return nil
}

// reply is the API's answer.
type reply struct {
	Status    int
	Exception string
	Body      map[string]any
}

func (r reply) text(name string) string { s, _ := r.Body[name].(string); return s }

// cli is a program with its registration in a Region.
type cli struct {
	w                *world
	region, addr     string
	id, secret       string
	redirect, verify string
}

func (c *cli) post(path string, in any) reply {
	c.w.t.Helper()
	raw, err := json.Marshal(in)
	require.NoError(c.w.t, err)
	r := httptest.NewRequest(http.MethodPost, apiOf(c.region)+path, bytes.NewReader(raw))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = c.addr
	rec := httptest.NewRecorder()
	c.w.servers[c.region].ServeHTTP(rec, r)
	out := reply{Status: rec.Code, Exception: rec.Header().Get("X-Amzn-Errortype")}
	require.NoError(c.w.t, json.Unmarshal(rec.Body.Bytes(), &out.Body), rec.Body.String())
	if out.Exception != "" {
		assert.Equal(c.w.t, out.Exception, out.Body["__type"])
		assert.NotEmpty(c.w.t, out.Body["error"])
		assert.Contains(c.w.t, out.Body, "error_description")
		assert.NotEmpty(c.w.t, rec.Header().Get("X-Amzn-Requestid"))
	}
	return out
}

func (c *cli) must(r reply) reply {
	c.w.t.Helper()
	require.Equal(c.w.t, http.StatusOK, r.Status, "%v", r)
	return r
}

func (c *cli) refused(r reply, status int, exception string) {
	c.w.t.Helper()
	require.Equal(c.w.t, exception, r.Exception, "%v", r)
	require.Equal(c.w.t, status, r.Status)
}

type fields map[string]any

func (f fields) with(name string, value any) fields {
	out := fields{}
	for k, v := range f {
		out[k] = v
	}
	if out[name] = value; value == nil {
		delete(out, name)
	}
	return out
}

// asCLI is what AWS's command line registers with for PKCE.
func asCLI(region string) fields {
	return fields{
		"clientName": "botocore-client-primary", "clientType": "public",
		"grantTypes":   []string{"authorization_code", "refresh_token"},
		"redirectUris": []string{"http://127.0.0.1/oauth/callback"},
		"issuerUrl":    portalOf(region), "scopes": []string{scope},
	}
}

// asDevice is what it registers with for a device code.
func asDevice() fields {
	return fields{"clientName": "botocore-client-primary", "clientType": "public", "scopes": []string{scope}}
}

// client registers a program.
func (w *world) client(region string, in fields) *cli {
	w.t.Helper()
	c := &cli{w: w, region: region, addr: "192.0.2.7:4711", redirect: "http://127.0.0.1:45999/oauth/callback",
		verify: strings.Repeat("verifier-.~", 5)}
	r := c.must(c.post("/client/register", in))
	c.id, c.secret = r.text("clientId"), r.text("clientSecret")
	require.NotEmpty(w.t, c.id)
	require.NotEmpty(w.t, c.secret)
	return c
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (c *cli) query() url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {c.id}, "redirect_uri": {c.redirect}, "state": {"a-state"},
		"code_challenge_method": {"S256"}, "scopes": {scope}, "code_challenge": {challenge(c.verify)},
	}
}

func (c *cli) authorizeURL() string { return apiOf(c.region) + "/authorize?" + c.query().Encode() }

// code has a user allow the access, and returns the code.
func (c *cli) code(b *testkit.Browser) string {
	c.w.t.Helper()
	p := press(c.w.t, open(c.w.t, b, c.authorizeURL()), "allow")
	to, err := url.Parse(p.Location())
	require.NoError(c.w.t, err)
	require.Equal(c.w.t, "a-state", to.Query().Get("state"), "%d %s %s", p.Status, p.Location(), p.Text())
	require.NotEmpty(c.w.t, to.Query().Get("code"))
	return to.Query().Get("code")
}

func (c *cli) codeFields(code string) fields {
	return fields{"clientId": c.id, "clientSecret": c.secret, "grantType": "authorization_code", "code": code,
		"codeVerifier": c.verify, "redirectUri": c.redirect}
}

func (c *cli) redeem(code string) reply { c.w.t.Helper(); return c.post("/token", c.codeFields(code)) }

func (c *cli) refresh(token string) reply {
	c.w.t.Helper()
	return c.post("/token", fields{"clientId": c.id, "clientSecret": c.secret, "grantType": "refresh_token",
		"refreshToken": token})
}

// login is a whole sign-in.
func (c *cli) login(b *testkit.Browser) reply {
	c.w.t.Helper()
	return c.must(c.redeem(c.code(b)))
}

// isIn reports whether an access token lets in at a Region.
func (w *world) isIn(region, token string) bool {
	w.t.Helper()
	g, err := w.servers[region].Grant(w.t.Context(), token)
	if err != nil {
		var e *awsapi.Error
		require.ErrorAs(w.t, err, &e)
		require.Equal(w.t, awsapi.ReasonNoGrant, e.Reason, "%v", err)
		return false
	}
	require.Equal(w.t, []string{scope}, g.Scopes)
	return true
}

func sealer(t *testing.T) awsapi.Sealer {
	t.Helper()
	s, err := awsapi.NewSealer(bytes.Repeat([]byte{9}, 32))
	require.NoError(t, err)
	return s
}
