package acs_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// The rows of families G, J and K that take sessions, several messages or browsers.

const (
	emailAddress = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	unspecified  = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	persistent   = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
)

// logoutRows is two Regions with stores of their own and the same sessions, and an identity provider that signs what a
// test wants.
type logoutRows struct {
	*world
	sessions *sessions.MemoryStore
	handlers map[string]http.Handler // by Region
}

func newLogoutRows(t *testing.T) *logoutRows {
	t.Helper()
	w := &logoutRows{
		world: newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"},
			saml.LogoutEndpoint{URL: euLogout, Region: "eu-central-1"}),
		handlers: make(map[string]http.Handler),
	}
	w.sessions = sessions.NewMemoryStore(sessions.MemoryConfig{})
	for _, name := range []string{"us-east-1", "eu-central-1"} {
		w.handlers[name] = w.region(name, func(c *acs.Config) {
			c.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
			c.EndSessions = func(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
				_, err := w.sessions.EndSubject(ctx, sessions.Logout{
					Subject:        sessions.Subject{Provider: l.IdP(), ServiceProvider: entityID, NameID: nameOf(l.NameID())},
					SessionIndexes: l.SessionIndexes(), Issued: l.IssueInstant(), NotOnOrAfter: l.NotOnOrAfter(),
					Until: l.NotOnOrAfter().Add(24 * time.Hour),
				})
				return saml.LogoutSuccess, err
			}
		})
	}
	return w
}

// session is a session that began now. Empty parts of a name are left out of the assertion.
func (w *logoutRows) session(id, idp string, name sessions.NameID, index string) sessions.Session {
	now := w.clock.Now()
	return sessions.Session{
		ID: id, SignIn: id, UserID: idp + name.Value, Region: "us-east-1",
		Created: now, Seen: now, Expires: now.Add(time.Hour),
		Proof: sessions.Proof{
			Subject:        sessions.Subject{Provider: idp, ServiceProvider: entityID, NameID: name},
			SessionIndexes: []string{index}, Issued: now,
		},
	}
}

func (w *logoutRows) create(all ...sessions.Session) {
	w.t.Helper()
	for _, s := range all {
		require.NoError(w.t, w.sessions.Create(w.t.Context(), s.ID, s))
	}
}

func (w *logoutRows) alive(id string) bool {
	_, err := w.sessions.Get(w.t.Context(), id)
	return err == nil
}

// send sends a LogoutRequest with this content to a Region, at the URL in our metadata.
func (w *logoutRows) send(region, request string) int {
	return serve(w.handlers[region], logoutPost(usLogout, url.Values{"SAMLRequest": {request}})).Code
}

func (w *logoutRows) request(attrs, nameAttrs, name string, indexes ...string) string {
	content := `<saml:NameID ` + nameAttrs + `>` + name + `</saml:NameID>`
	for _, index := range indexes {
		content += `<samlp:SessionIndex>` + index + `</samlp:SessionIndex>`
	}
	return w.signedLogout("LogoutRequest", attrs, content)
}

// G16, G17, K07: a LogoutRequest ends the sessions of the user that it names, by the NameID with all its attributes
// after their defaults, and no other.
func TestLogoutEndsWhatItNames(t *testing.T) {
	const format = `Format="` + emailAddress + `"`
	alice := sessions.NameID{Value: "alice@example.com", Format: emailAddress}
	qualified := alice
	qualified.NameQualifier, qualified.SPNameQualifier = idpID, entityID
	for name, row := range map[string]struct {
		nameAttrs, name string
		indexes         []string
		// of a1, a2, q1 (alice), n1 (alice without a Format), b1 (bob) and o1 (alice of another provider)
		ends string
	}{
		"G16 alone":                        {format, alice.Value, nil, "a1 a2 q1"},
		"G16 another Format":               {`Format="` + persistent + `"`, alice.Value, nil, ""},
		"G16 without a Format":             {``, alice.Value, nil, "n1"},
		"K07 the default Format":           {`Format="` + unspecified + `"`, alice.Value, nil, "n1"},
		"K07 NameQualifier":                {format + ` NameQualifier="` + idpID + `"`, alice.Value, nil, "a1 a2 q1"},
		"K07 SPNameQualifier":              {format + ` SPNameQualifier="` + entityID + `"`, alice.Value, nil, "a1 a2 q1"},
		"K07 twin: other NameQualifier":    {format + ` NameQualifier="https://idp.other.example"`, alice.Value, nil, ""},
		"K07 twin: other SPNameQualifier":  {format + ` SPNameQualifier="https://sp.other.example"`, alice.Value, nil, ""},
		"K07 twin: other value":            {format, "bob@example.com", nil, "b1"},
		"G17 another user's SessionIndex":  {format, "bob@example.com", []string{"s1"}, ""},
		"G17 twin: one's own SessionIndex": {format, "bob@example.com", []string{"s3"}, "b1"},
		"G17 one of two":                   {format, alice.Value, []string{"s3", "s1"}, "a1"},
		"case":                             {format, "ALICE@example.com", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newLogoutRows(t)
			w.create(
				w.session("a1", idpID, alice, "s1"), w.session("a2", idpID, alice, "s2"),
				w.session("q1", idpID, qualified, "s4"),
				w.session("n1", idpID, sessions.NameID{Value: alice.Value}, "s5"),
				w.session("b1", idpID, sessions.NameID{Value: "bob@example.com", Format: emailAddress}, "s3"),
				w.session("o1", "https://idp.other.example", alice, "s1"),
			)
			w.clock.Advance(time.Second)
			request := w.request("", row.nameAttrs, row.name, row.indexes...)
			require.Equal(t, http.StatusOK, w.send("us-east-1", request), w.logs)
			var ended []string
			for _, id := range []string{"a1", "a2", "q1", "n1", "b1", "o1"} {
				if !w.alive(id) {
					ended = append(ended, id)
				}
			}
			assert.Equal(t, row.ends, strings.Join(ended, " "))
		})
	}
}

// G15, J10: the same LogoutRequest is a replay in its Region. In another Region it is accepted, and ends no session
// that began after it.
func TestLogoutRequestInAnotherRegion(t *testing.T) {
	w := newLogoutRows(t)
	alice := sessions.NameID{Value: "alice@example.com", Format: emailAddress}
	w.create(w.session("a1", idpID, alice, "s1"))
	w.clock.Advance(time.Second)
	request := w.request("", `Format="`+emailAddress+`"`, alice.Value)
	require.Equal(t, http.StatusOK, w.send("us-east-1", request))
	require.False(t, w.alive("a1"))
	w.clock.Advance(time.Second)
	w.create(w.session("a2", idpID, alice, "s2"))
	require.Equal(t, http.StatusForbidden, w.send("us-east-1", request))
	require.Contains(t, w.logs.String(), `"reason":"Replay"`)
	require.Equal(t, http.StatusOK, w.send("eu-central-1", request))
	require.True(t, w.alive("a2"), "begun after the LogoutRequest")
	w.clock.Advance(time.Second)
	require.Equal(t, http.StatusForbidden, w.send("eu-central-1", request))
	require.True(t, w.alive("a2"))
}

// G28: the sessions that a late assertion would begin are known to be ended. The controls aren't.
func TestLogoutEndsLateSessions(t *testing.T) {
	w := newLogoutRows(t)
	alice := sessions.NameID{Value: "alice@example.com", Format: emailAddress}
	late := w.session("late", idpID, alice, "s1")
	w.clock.Advance(time.Second)
	attrs := fmt.Sprintf(`NotOnOrAfter="%s"`, w.clock.Now().Add(5*time.Minute).UTC().Format(time.RFC3339))
	request := w.request(attrs, `Format="`+emailAddress+`"`, alice.Value, "s1")
	require.Equal(t, http.StatusOK, w.send("us-east-1", request))
	loggedOut := func(s sessions.Session) bool {
		out, err := w.sessions.LoggedOut(t.Context(), s)
		require.NoError(t, err)
		return out
	}
	require.True(t, loggedOut(late))
	w.clock.Advance(time.Second)
	require.True(t, loggedOut(w.session("later", idpID, alice, "s1")), "issued after the logout, with its SessionIndex")
	require.False(t, loggedOut(w.session("other index", idpID, alice, "s2")))
	bob := sessions.NameID{Value: "bob", Format: emailAddress}
	require.False(t, loggedOut(w.session("other user", idpID, bob, "s1")))
	w.clock.Advance(5 * time.Minute)
	require.False(t, loggedOut(w.session("after its end", idpID, alice, "s1")))
}

// G23, G24, G30: where the answer goes is in the metadata, whatever RelayState and the message say. RelayState comes
// back as it was, as text, or not at all if it is longer than 80 bytes.
func TestLogoutAnswerGoesToTheMetadataAddress(t *testing.T) {
	for name, relayState := range map[string]string{
		"none": "", "state": "state", "scheme-relative": "//evil.example", "backslashes": `\\evil.example`,
		"slashes": "///evil.example", "javascript": "javascript:alert(1)",
		"line ends": "x\r\nLocation: https://evil.example",
		"markup":    `"><script>alert(1)</script>`, "80 bytes": strings.Repeat("r", 80), "too long": strings.Repeat("r", 81),
		"too long, and markup": strings.Repeat(`"><b>`, 20),
	} {
		w := newLogoutRows(t)
		request := w.request(`ResponseLocation="https://evil.example/"`, "", "alice")
		form := url.Values{"SAMLRequest": {request}, "RelayState": {relayState}}
		rec := serve(w.handlers["us-east-1"], logoutPost(usLogout, form))
		require.Equal(t, http.StatusOK, rec.Code, name)
		require.Empty(t, rec.Header().Get("Location"))
		page := testkit.Page{Status: rec.Code, Body: rec.Body.String(), Header: rec.Header()}
		forms := page.Forms()
		require.Len(t, forms, 1, name)
		assert.Equal(t, "https://idp.example/slo", forms[0].Action, name)
		assert.NotContains(t, rec.Body.String(), "<b>")
		assert.NotContains(t, rec.Body.String(), "<script>alert")
		want := relayState
		if len(want) > 80 {
			want = ""
		}
		lines := strings.NewReplacer("\r\n", "\n")
		assert.Equal(t, lines.Replace(want), lines.Replace(forms[0].Values().Get("RelayState")), name)
	}
}

// J13: no RelayState of ours is longer than 80 bytes (Bindings 3.4.3), in logouts by both bindings and in sign-ins.
func TestRelayStateOfOursIsShort(t *testing.T) {
	for binding, change := range map[string]mockidp.LogoutBinding{
		saml.HTTPRedirect: mockidp.LogoutRedirect, saml.HTTPPost: mockidp.LogoutPOST,
	} {
		w := newLogoutWorld(t, change)
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, w.origin["us"]+"/sign-out", nil)
		region, err := acs.NewRegion(acs.Config{
			SP: w.sp, Region: "us", Store: acs.NewMemoryStore(acs.MemoryConfig{}), EndSessions: endNothing,
			OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {},
		})
		require.NoError(t, err)
		region.StartLogout(rec, r, acs.LogoutOptions{
			NameID: saml.NameID{Value: "alice"}, ReturnTo: "/" + strings.Repeat("long", 400), Binding: binding,
		})
		sent := rec.Body.String()
		if location := rec.Header().Get("Location"); location != "" {
			u, err := url.Parse(location)
			require.NoError(t, err)
			sent = u.Query().Get("RelayState")
		} else {
			page := testkit.Page{Status: rec.Code, Body: sent, Header: rec.Header()}
			sent = page.Forms()[0].Values().Get("RelayState")
		}
		assert.NotEmpty(t, sent, binding)
		assert.LessOrEqual(t, len(sent), 80, binding)
	}
}

// J15: a logout by the identity provider in one browser signs out another one with the same cookie. The session of
// another sign-in lives on (twin).
func TestLogoutEndsCopiesOfASession(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	b, other := w.browser(), w.browser()
	w.signIn(b, "us")
	_, err := other.SignIn(w.origin["us"]+"/login", "bob@example.com", mockidp.DefaultPassword)
	require.NoError(t, err)
	copied := b.Copy()
	require.True(t, w.signedIn(copied, "us"))
	p, err := b.Open(w.idp.URL + "/")
	require.NoError(t, err)
	p, err = signOut(b, p)
	require.NoError(t, err)
	w.follow(b, p)
	require.False(t, w.signedIn(copied, "us"))
	require.True(t, w.signedIn(other, "us"))
}

// G33: a session that ends by idleness sends no LogoutRequest: the identity provider's session lives on, and the next
// sign-in is silent. A sign-out ends it (twin).
func TestIdleSessionSendsNoLogoutRequest(t *testing.T) {
	w := newLogoutWorld(t, mockidp.LogoutRedirect)
	b := w.browser()
	w.signIn(b, "us")
	all, err := w.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	for _, s := range all { // as a program ends a session that is idle
		require.NoError(t, w.sessions.Revoke(t.Context(), s.UserID, s.ID))
	}
	require.False(t, w.signedIn(b, "us"))
	for _, m := range w.idp.Messages() {
		require.NotContains(t, m.XML, "LogoutRequest")
	}
	p, err := b.Open(w.origin["us"] + "/login")
	require.NoError(t, err)
	p = w.follow(b, p)
	require.Contains(t, p.Text(), "signed in as alice@example.com")
	p, err = signOut(b, p)
	require.NoError(t, err)
	w.follow(b, p)
	p, err = b.Open(w.origin["us"] + "/login")
	require.NoError(t, err)
	require.Contains(t, p.Body, `name="password"`)
}

// G03, G20, G21, K04, K05: an answer ends a logout that this browser began, signed and once. Each is refused for its
// Reason, without a word to the program, and the twin is accepted afterwards.
func TestLogoutAnswersThatAnswerNothing(t *testing.T) {
	const third = "https://ap-south-1.signin.example/logout"
	w := newLogoutMessages(t, byPost, saml.LogoutEndpoint{URL: usLogout, Region: "us-east-1"},
		saml.LogoutEndpoint{URL: euLogout, Region: "eu-central-1"}, saml.LogoutEndpoint{URL: third, Region: "ap-south-1"})
	ended := 0
	cfg := w.regionConfig("us-east-1")
	cfg.EndSessions = endNothing
	cfg.OnLoggedOut = func(http.ResponseWriter, *http.Request, *acs.LoggedOut) { ended++ }
	region, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	cfg.Region = "eu-central-1"
	eu, err := acs.NewRegion(cfg)
	require.NoError(t, err)
	id, cookie := startedLogout(t, region, usLogout)
	_, others := startedLogout(t, region, usLogout)
	authn, err := w.sp.NewAuthnRequest(saml.RequestOptions{})
	require.NoError(t, err)
	abroad, err := w.sp.NewLogoutRequest(saml.LogoutOptions{NameID: saml.NameID{Value: "a"}, URL: third})
	require.NoError(t, err)
	to := func(id string) string { return w.signedLogout("LogoutResponse", `InResponseTo="`+id+`"`, succeeded) }
	for name, row := range map[string]struct {
		g       *acs.Region
		at      string
		message string
		cookies []*http.Cookie
		want    string
	}{
		"G03 unsigned":                  {region, usLogout, unsigned(t, to(id)), []*http.Cookie{cookie}, "Unsigned"},
		"G20 none waits":                {region, usLogout, to(id + "0"), []*http.Cookie{cookie}, "Request"},
		"G20 no request of ours":        {region, usLogout, to("_unknown"), []*http.Cookie{cookie}, "InResponseTo"},
		"G20 another browser":           {region, usLogout, to(id), []*http.Cookie{others}, "Request"},
		"G20 no cookie":                 {region, usLogout, to(id), nil, "Request"},
		"G20 another Region":            {eu, euLogout, to(id), []*http.Cookie{cookie}, "WrongRegion"},
		"G21 an AuthnRequest's ID":      {region, usLogout, to(authn.ID()), []*http.Cookie{cookie}, "InResponseTo"},
		"K04 unsigned, another's ID":    {region, usLogout, unsigned(t, to(abroad.ID())), []*http.Cookie{cookie}, "Unsigned"},
		"K05 a third Region, forwarded": {eu, euLogout, to(abroad.ID()), []*http.Cookie{cookie}, "WrongRegion"},
	} {
		before := len(w.logs.String())
		form := url.Values{"SAMLResponse": {row.message}}
		rec := serve(http.HandlerFunc(row.g.Logout), logoutPost(row.at, form, row.cookies...))
		assert.Equal(t, http.StatusForbidden, rec.Code, name)
		assert.Empty(t, rec.Header().Get("Location"), name)
		assert.Contains(t, w.logs.String()[before:], `"reason":"`+row.want+`"`, name)
		assert.Zero(t, ended, name)
	}
	rec := serve(http.HandlerFunc(region.Logout), logoutPost(usLogout, url.Values{"SAMLResponse": {to(abroad.ID())}}))
	assert.Equal(t, third, rec.Header().Get("Location"), "twin of K04 and K05: signed, at the URL in our metadata")
	serve(http.HandlerFunc(region.Logout), logoutPost(usLogout, url.Values{"SAMLResponse": {to(id)}}, cookie))
	assert.Equal(t, 1, ended, w.logs)
	before := len(w.logs.String())
	serve(http.HandlerFunc(region.Logout), logoutPost(usLogout, url.Values{"SAMLResponse": {to(id)}}, cookie))
	assert.Equal(t, 1, ended, "G20 taken before")
	assert.Contains(t, w.logs.String()[before:], `"reason":"Request"`)
}

// unsigned returns a message in base64 without its signature.
func unsigned(t *testing.T, message string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(message)
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(text))
	doc.Root().RemoveChild(doc.Root().SelectElement("Signature"))
	out, err := doc.WriteToBytes()
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(out)
}

// K06, G31: the page that answers a LogoutRequest in a frame may be in a frame of that identity provider only. All
// other pages of a logout may be in none.
func TestLogoutPagesInFrames(t *testing.T) {
	w := newLogoutRows(t)
	rec := serve(w.handlers["us-east-1"], logoutPost(usLogout, url.Values{"SAMLRequest": {w.request("", "", "alice")}}))
	require.Equal(t, http.StatusOK, rec.Code)
	require.Empty(t, rec.Header().Get("X-Frame-Options"))
	policy := rec.Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "frame-ancestors https://idp.example;")
	require.NotContains(t, policy, "*")
	for name, form := range map[string]url.Values{
		"refused": {"SAMLRequest": {unsigned(t, w.request("", "", "alice"))}}, "nothing": {},
		"an answer to nothing": {"SAMLResponse": {w.signedLogout("LogoutResponse", `InResponseTo="_x"`, succeeded)}},
	} {
		rec := serve(w.handlers["us-east-1"], logoutPost(usLogout, form))
		require.GreaterOrEqual(t, rec.Code, 400, name)
		require.Equal(t, "DENY", rec.Header().Get("X-Frame-Options"), name)
		require.Contains(t, rec.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'", name)
	}
}
