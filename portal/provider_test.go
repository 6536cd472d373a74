package portal_test

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/discovery"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// several is a world with two identity providers. Both have an alice and a bob. The instance has an alice of each, but
// bob is of the first one and zoe of the second one. Users choose on a discovery page at /choose.
type several struct {
	*world
	second       *mockidp.Server
	first, other string // their entity IDs
	sessions     *sessions.MemoryStore
}

func newSeveral(t *testing.T, edit func(*portal.Config)) *several {
	t.Helper()
	w := &several{world: &world{t: t, clock: testkit.NewClock(time.Now()), sessions: map[string]*sessions.MemoryStore{},
		hosts: map[string]http.Handler{}}, sessions: sessions.NewMemoryStore(sessions.MemoryConfig{Region: "everywhere"})}
	mock := func(key string, logins ...string) *mockidp.Server {
		var users []mockidp.User
		for _, login := range logins {
			users = append(users, mockidp.User{Login: login + "@example.com"})
		}
		idp := mockidp.New(mockidp.Config{Now: w.clock.Now, Users: users, Key: testkit.RSAKey(key),
			Apps: []mockidp.App{{Label: "Portal", ExternalKey: "exk" + key, Groups: []string{"Everyone"}}}})
		t.Cleanup(idp.Close)
		return idp
	}
	w.idp, w.second = mock("idp", "alice", "bob"), mock("second", "alice", "bob", "zoe")
	dir := t.TempDir()
	for name, idp := range map[string]*mockidp.Server{"first": w.idp, "second": w.second} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".xml"), idp.Metadata(""), 0o600))
	}
	w.first, w.other = entityOf(t, w.idp), entityOf(t, w.second)
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: []federation.Source{{Dir: dir}}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	var codes portal.Codes
	var once sync.Once
	w.open(w.data(), saml.Config{IdPs: f}, func(c *portal.Config) {
		once.Do(func() { codes = portal.NewCodes(acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now})) })
		c.Sessions, c.Codes, c.DiscoveryURL, c.FindIdP = w.sessions, codes, "/choose", f.Find
		if edit != nil {
			edit(c)
		}
	}, w.idp, w.second)
	page, err := discovery.New(discovery.Config{Providers: f, Returns: map[string][]string{entityID: {
		"https://" + virginia + portal.PathDiscovered, "https://" + frankfurt + portal.PathDiscovered,
	}}})
	require.NoError(t, err)
	for _, host := range regionHosts {
		mux := http.NewServeMux()
		mux.Handle("/", w.hosts[host])
		mux.Handle("/choose", page)
		w.hosts[host] = mux
	}
	return w
}

func entityOf(t *testing.T, idp *mockidp.Server) string {
	t.Helper()
	md, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	return md.EntityID()
}

func (w *several) data() center.Data {
	d := data()
	d.IdentityProviders = []center.IdentityProvider{{EntityID: w.first, Name: "First Corp"}, {EntityID: w.other}}
	for i := range d.Users {
		d.Users[i].IdentityProvider = w.first
	}
	for i := range d.Groups {
		d.Groups[i].IdentityProvider = w.first
	}
	d.Users = append(d.Users,
		center.User{
			ID: "second-alice", UserName: "alice@example.com", DisplayName: "Alice Second", IdentityProvider: w.other,
		},
		center.User{ID: "zoe", UserName: "zoe@example.com", IdentityProvider: w.other})
	return d
}

// at chooses an identity provider on the discovery page, and signs a user in there.
func (w *several) at(b *browser, addr string, idp *mockidp.Server, login string) answer {
	w.t.Helper()
	page := b.get(addr)
	require.Equal(w.t, "/choose", page.url.Path, "%d %s", page.StatusCode, page.body)
	q := page.url.Query()
	q.Set("idp", entityOf(w.t, idp))
	return w.answered(b, b.click("https://"+page.url.Host+"/choose?"+q.Encode()), idp, login)
}

// answered signs a user in at the identity provider that the browser was sent to.
func (w *several) answered(b *browser, a answer, idp *mockidp.Server, login string) answer {
	w.t.Helper()
	loc := a.Header.Get("Location")
	require.True(w.t, strings.HasPrefix(loc, idp.URL+"/"), "%d %s %q", a.StatusCode, a.url, loc)
	form, err := idp.Answer(loc, login+"@example.com")
	require.NoError(w.t, err)
	return b.post(form.URL, form.Values())
}

// unasked posts an unsolicited response of an identity provider.
func (w *several) unasked(b *browser, idp *mockidp.Server, login string) answer {
	w.t.Helper()
	form, err := idp.IdPInitiated("", login+"@example.com", "")
	require.NoError(w.t, err)
	return b.post(form.URL, form.Values())
}

// I06: invariant 18: two identity providers send the same NameID. Each signs its own user in, and no other.
func TestInvariant18_UsersBelongToTheirIdentityProvider(t *testing.T) {
	w := newSeveral(t, nil)
	home := "https://" + virginia + "/"
	first, second := w.browser(), w.browser()
	requirePage(t, w.at(first, home, w.idp, "alice"), 200, "/", "Alice Adams", "First Corp", "Production")
	assert.Equal(t, w.first, w.lastSignIn().IdP)
	a := w.at(second, home, w.second, "alice")
	requirePage(t, a, 200, "/", "Alice Second", w.other)
	assert.NotContains(t, a.body, "Production")
	assert.Equal(t, w.other, w.lastSignIn().IdP)

	for name, signIn := range map[string]func(*browser) answer{
		"asked":   func(b *browser) answer { return w.at(b, home, w.second, "bob") },
		"unasked": func(b *browser) answer { return w.unasked(b, w.second, "bob") },
	} {
		a := signIn(w.browser())
		assert.Equal(t, http.StatusForbidden, a.StatusCode, name)
		assert.Contains(t, a.body, "have access to this portal", name)
		last := w.lastSignIn()
		assert.Equal(t, portal.ReasonUnknownUser, last.Reason, name)
		assert.Equal(t, "bob@example.com", last.UserName)
		assert.Equal(t, w.other, last.IdP)
		assert.Contains(t, lineWith(w.logged(), last.Reference), w.other)
	}
	requirePage(t, w.at(w.browser(), home, w.idp, "bob"), 200, "/", "bob@example.com", "Admin")
	requirePage(t, w.at(w.browser(), home, w.second, "zoe"), 200, "/", "zoe@example.com")
}

// I01: a request to the first identity provider is answered by the second one.
func TestAnotherIdentityProviderAnswers(t *testing.T) {
	w := newSeveral(t, nil)
	b := w.browser()
	page := b.get("https://" + virginia + "/")
	q := page.url.Query()
	q.Set("idp", w.first)
	toFirst, err := url.Parse(b.click("https://" + virginia + "/choose?" + q.Encode()).Header.Get("Location"))
	require.NoError(t, err)
	request, err := testkit.Inflated(toFirst.Query().Get("SAMLRequest"))
	require.NoError(t, err)
	second := w.second.SSOURL("")
	require.Contains(t, string(request), w.idp.SSOURL(""))
	q = toFirst.Query()
	q.Set("SAMLRequest", testkit.Deflated([]byte(strings.ReplaceAll(string(request), w.idp.SSOURL(""), second))))
	form, err := w.second.Answer(second+"?"+q.Encode(), "alice@example.com")
	require.NoError(t, err)
	a := b.post(form.URL, form.Values())
	assert.Equal(t, http.StatusForbidden, a.StatusCode, a.body)
	assert.Contains(t, w.logged(), "reason=IdP")
	assert.Zero(t, w.sessions.Len())
}

// A session keeps the identity provider, through a handoff and when the user signs in again.
func TestSessionsKeepTheIdentityProvider(t *testing.T) {
	w := newSeveral(t, nil)
	b := w.browser()
	w.at(b, "https://"+virginia+"/", w.second, "alice")
	requirePage(t, b.get(fromVirginia), 200, "/", "Alice Second", w.other)
	list, err := w.sessions.List(t.Context(), "second-alice")
	require.NoError(t, err)
	require.Len(t, list, 2)
	for _, s := range list {
		assert.Equal(t, w.other, s.Proof.Subject.Provider, s.Region)
	}
	ended, err := w.sessions.EndSubject(t.Context(), sessions.Logout{
		Subject: sessions.Subject{Provider: w.first, ServiceProvider: entityID, NameID: list[0].Proof.Subject.NameID},
		Issued:  w.clock.Now(), Until: w.clock.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	assert.Empty(t, ended, "a logout of the first one ends nothing of the second one's user")

	w.clock.Advance(2 * time.Hour) // idle
	requirePage(t, w.answered(b, b.click("https://"+virginia+"/applications"), w.second, "alice"), 200, "/applications",
		"Alice Second")
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	require.Equal(t, "/choose", b.click("https://"+virginia+"/").url.Path, "after signing out the user chooses")
}

// An unsolicited sign-in that is restarted is at the identity provider that sent it.
func TestRestartAtTheSameIdentityProvider(t *testing.T) {
	w := newSeveral(t, func(c *portal.Config) { c.Unsolicited = portal.Restart })
	b := w.browser()
	requirePage(t, w.answered(b, w.unasked(b, w.second, "alice"), w.second, "alice"), 200, "/", "Alice Second")
}

// The user is asked before the identity changes to the same NameID of another identity provider.
func TestChangeToTheSameNameOfAnotherIdentityProvider(t *testing.T) {
	w := newSeveral(t, nil)
	b := w.browser()
	w.at(b, "https://"+virginia+"/", w.idp, "alice")
	a := w.unasked(b, w.second, "alice")
	requirePage(t, a, 200, a.url.RequestURI(), "You are signed in as", "of First Corp", "The identity provider "+w.other,
		"Continue as Alice Second")
	tag := hiddenTag.FindStringSubmatch(a.body)[1]
	requireIs(t, b, "Alice Adams")
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/", "Alice Second")
	list, err := w.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	assert.Empty(t, list, "the earlier sign-in has ended")
}

// A user moves to another identity provider. Sessions that the first one vouched for end, pending sign-ins and
// handoffs too, and a session of the second one lives.
func TestAMovedUserKeepsNoSessionOfTheEarlierIdentityProvider(t *testing.T) {
	w := newSeveral(t, nil)
	home := "https://" + virginia + "/"
	old, asking, handing := w.browser(), w.browser(), w.browser()
	w.at(old, home, w.idp, "bob")
	w.at(asking, home, w.second, "zoe")
	a := w.unasked(asking, w.idp, "bob")
	tag := hiddenTag.FindStringSubmatch(a.body)[1]
	w.at(handing, home, w.idp, "bob")
	view, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, view.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{ID: "bob@example.com", UserName: "bob@example.com", IdentityProvider: w.other})
	}))
	moved := w.browser()
	requirePage(t, w.at(moved, home, w.second, "bob"), 200, "/", "bob@example.com")

	refused := func(a answer) {
		t.Helper()
		assert.Equal(t, http.StatusForbidden, a.StatusCode, a.body)
		assert.Contains(t, a.body, "have access to this portal")
	}
	refused(old.click(home))
	assert.Contains(t, w.logged(), "identity provider of the session")
	refused(asking.submit("https://"+virginia+"/continue", say(tag, "continue")))
	assert.Equal(t, "/choose", handing.get(fromVirginia).url.Path, "nothing is handed off")
	requirePage(t, moved.click(home), 200, "/", "bob@example.com")
	assert.Equal(t, "/choose", old.click(home).url.Path)
}

// Until its users belong to an identity provider, an instance is served with one alone.
func TestSeveralIdentityProvidersNeedAList(t *testing.T) {
	w := newSeveral(t, nil)
	unlisted := data()
	inst, err := center.New(unlisted)
	require.NoError(t, err)
	view, err := inst.In("us-east-1")
	require.NoError(t, err)
	several, err := saml.ParseAggregate(w.idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: entityID, IdPs: several,
		ACS: []saml.Endpoint{{URL: "https://" + virginia + acsPath, Region: "us-east-1"}}})
	require.NoError(t, err)
	cfg := portal.Config{Region: "us-east-1", SP: sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		Context: t.Context()}
	_, err = portal.New(cfg)
	var e *portal.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, portal.ReasonConfig, e.Reason)
	assert.Contains(t, e.Error(), "AdoptIdentityProvider")
	require.NoError(t, view.Update(func(tx *center.Tx) error {
		return tx.AdoptIdentityProvider(center.IdentityProvider{EntityID: w.first})
	}))
	_, err = portal.New(cfg)
	require.NoError(t, err)

	// The list is lost while the portal serves, as after a recovery: no user can be asserted, except by their own field.
	view, err = w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, view.Update(func(tx *center.Tx) error {
		_ = tx.RemoveUser("second-alice")
		bob := center.User{ID: "bob@example.com", UserName: "bob@example.com"}
		return cmp.Or(tx.PutUser(bob), tx.RemoveIdentityProvider(w.other), tx.RemoveIdentityProvider(w.first))
	}))
	for _, idp := range []*mockidp.Server{w.idp, w.second} {
		assert.Equal(t, http.StatusForbidden, w.at(w.browser(), "https://"+virginia+"/", idp, "bob").StatusCode)
		assert.Equal(t, portal.ReasonUnknownUser, w.lastSignIn().Reason)
	}
	requirePage(t, w.at(w.browser(), "https://"+virginia+"/", w.idp, "alice"), 200, "/", "Alice Adams")
	assert.Equal(t, http.StatusForbidden, w.at(w.browser(), "https://"+virginia+"/", w.second, "alice").StatusCode)
}

// ChooseIdP chooses by the request, before any discovery.
func TestChooseIdP(t *testing.T) {
	byHost := map[string]string{}
	w := newSeveral(t, func(c *portal.Config) {
		c.ChooseIdP = func(r *http.Request) string { return byHost[r.Host] }
	})
	byHost[frankfurt] = w.other
	b := w.browser()
	requirePage(t, w.answered(b, b.get("https://"+frankfurt+"/applications"), w.second, "alice"), 200, "/applications",
		"Alice Second")
	require.Equal(t, "/choose", w.browser().get("https://"+virginia+"/").url.Path)
}

func TestOperatorOfSeveralIdentityProviders(t *testing.T) {
	w := newSeveral(t, bobOperates)
	operator, victim, other := w.browser(), w.browser(), w.browser()
	home, page := "https://"+virginia+"/", "https://"+virginia+"/operator"
	w.at(operator, home, w.idp, "bob")
	w.at(victim, home, w.second, "alice")
	w.at(other, home, w.idp, "alice")
	requirePage(t, operator.click(page), 200, "/operator", "View identity providers", "First Corp", w.other)
	found := operator.click(page + "/people?q=alice@example.com")
	requirePage(t, found, 200, "/operator/people?q=alice@example.com", "Alice Adams", "First Corp", "Alice Second",
		w.other)
	const second = "/operator/people/person?id=second-alice"
	assert.Contains(t, found.body, `href="`+second+`"`)
	requireIs(t, victim, "Alice Second")
	requirePage(t, operator.click("https://"+virginia+second), 200, second, "Alice Second", w.other)
	requirePage(t, operator.submit(page+"/people/end", url.Values{"id": {"second-alice"}}), 200, "/operator/people/end",
		"All sessions of alice@example.com were ended")
	require.Equal(t, "/choose", victim.click(home).url.Path)
	requireIs(t, other, "Alice Adams")
}

// A restarted sign-in is the choice of the identity provider that sent the response. It doesn't end a sign-in of
// another one's user, in use or idle, without the user's consent.
func TestRestartDoesNotReplaceAUserOfAnotherIdentityProvider(t *testing.T) {
	w := newSeveral(t, func(c *portal.Config) { c.Unsolicited = portal.Restart })
	home := "https://" + virginia + "/"
	b := w.browser()
	w.at(b, home, w.idp, "alice")
	a := w.answered(b, w.unasked(b, w.second, "zoe"), w.second, "zoe")
	requirePage(t, a, 200, a.url.RequestURI(), "You are signed in as", "of First Corp", "The identity provider "+w.other)
	requireIs(t, b, "Alice Adams")
	tag := hiddenTag.FindStringSubmatch(a.body)[1]
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/", "zoe@example.com")
	list, err := w.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	assert.Empty(t, list)
	requirePage(t, w.answered(b, w.unasked(b, w.second, "alice"), w.second, "alice"), 200, "/", "Alice Second")

	idle := w.browser()
	w.at(idle, home, w.idp, "alice")
	w.clock.Advance(2 * time.Hour)
	requirePage(t, w.answered(idle, w.unasked(idle, w.second, "zoe"), w.second, "zoe"), 200, "/", "zoe@example.com")
	list, err = w.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	assert.Len(t, list, 1, "an idle sign-in isn't ended")
}
