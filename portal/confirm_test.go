package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
)

var hiddenTag = regexp.MustCompile(`name="s" value="([0-9a-f]+)"`)

// asked checks that the page asks to confirm the change of the user, and returns the form's tag.
func asked(t *testing.T, a answer) string {
	t.Helper()
	require.Equal(t, "/continue", a.url.Path)
	requirePage(t, a, 200, a.url.RequestURI(), "You are signed in as", "bob@example.com", "Continue as Alice Adams")
	m := hiddenTag.FindStringSubmatch(a.body)
	require.NotNil(t, m)
	return m[1]
}

// question signs bob in, and then alice by an unsolicited response.
func question(t *testing.T, edit func(*portal.Config), relayState string) (*world, *browser, string) {
	t.Helper()
	w := newWorld(t, edit)
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "bob@example.com"), 200, "/", "bob@example.com", "Admin")
	return w, b, asked(t, w.tile(b, "alice@example.com", relayState))
}

func say(tag, what string) url.Values { return url.Values{"s": {tag}, "answer": {what}} }

func requireIs(t *testing.T, b *browser, name string) {
	t.Helper()
	requirePage(t, b.click("https://"+virginia+"/"), 200, "/", name)
}

func TestUserDoesNotChangeWithoutAnAnswer(t *testing.T) {
	w, b, tag := question(t, nil, "/applications")
	before := b.cookie(virginia, portal.SessionCookie)
	requireIs(t, b, "bob@example.com")
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())

	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/applications", "Alice Adams",
		"Wiki")
	assert.NotEqual(t, before, b.cookie(virginia, portal.SessionCookie))
	assert.Equal(t, 1, w.sessions["us-east-1"].Len(), "bob's session has ended")

	// The answer can be used once.
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/signed-out")
}

func TestAnswerStay(t *testing.T) {
	w, b, tag := question(t, nil, "")
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "stay")), 200, "/", "bob@example.com")
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/", "bob@example.com")
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
}

func TestQuestionIsAskedAgainOnReload(t *testing.T) {
	_, b, tag := question(t, nil, "")
	again := b.get("https://" + virginia + "/continue?s=" + tag)
	assert.Equal(t, tag, asked(t, again))
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/", "Alice Adams")
}

func TestAnswersFromOtherPagesAreRefused(t *testing.T) {
	w, b, tag := question(t, nil, "")
	requirePage(t, b.post("https://"+virginia+"/continue", say(tag, "continue")), http.StatusForbidden, "/continue")
	requireIs(t, b, "bob@example.com")
	for _, form := range []url.Values{{}, say(tag, ""), say(tag, "yes"), {"answer": {"no"}}} {
		requirePage(t, b.submit("https://"+virginia+"/continue", form), http.StatusBadRequest, "/continue")
	}
	for _, bad := range []string{"", "0123456789abcdef", tag + "x", "../" + tag} {
		requirePage(t, b.submit("https://"+virginia+"/continue", say(bad, "continue")), 200, "/", "bob@example.com")
	}
	other := w.browser()
	requirePage(t, other.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/signed-out")
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/", "Alice Adams")
}

// An answer that was sent before the question was shown is ignored.
func TestAnswerBeforeTheQuestionIsIgnored(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "bob@example.com")
	form, err := w.idp.IdPInitiated("", "alice@example.com", "")
	require.NoError(t, err)
	a := b.send("POST", form.URL, "cross-site", form.Values())
	loc, err := a.Location()
	require.NoError(t, err)
	asked(t, b.submit("https://"+virginia+"/continue", say(loc.Query().Get("s"), "continue")))
	requireIs(t, b, "bob@example.com")
}

// The user agreed to replace bob, but is signed in as eve by then.
func TestAnswerAppliesToTheUserWhoWasAsked(t *testing.T) {
	w, b, tag := question(t, nil, "")
	b.submit("https://"+virginia+"/sign-out", url.Values{})
	w.signIn(b, "https://"+virginia+"/", "eve@example.com")
	a := b.submit("https://"+virginia+"/continue", say(tag, "continue"))
	assert.Equal(t, "/continue", a.url.Path)
	assert.Contains(t, a.body, "eve@example.com")
	requireIs(t, b, "eve@example.com")
}

// After signing out in another tab, the question has no effect any more. The control is
// TestUserDoesNotChangeWithoutAnAnswer.
func TestSignOutEndsTheQuestion(t *testing.T) {
	for path, form := range map[string]url.Values{"/sign-out": {}, "/sessions/end-all": {}} {
		w, b, tag := question(t, nil, "")
		requirePage(t, b.submit("https://"+virginia+path, form), 200, "/signed-out")
		requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/signed-out")
		requireAtIdP(t, w, b.get("https://"+virginia+"/"))
		assert.Zero(t, w.sessions["us-east-1"].Len())
	}
}

func TestQuestionExpires(t *testing.T) {
	w, b, tag := question(t, nil, "")
	w.clock.Advance(4 * time.Minute)
	asked(t, b.get("https://"+virginia+"/continue?s="+tag)) // a reload doesn't extend the lifetime
	w.clock.Advance(time.Minute)
	requirePage(t, b.submit("https://"+virginia+"/continue", say(tag, "continue")), 200, "/", "bob@example.com")
}

func TestNoQuestionForTheSameUserOrAnOwnSignIn(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, w.tile(b, "alice@example.com", "/applications"), 200, "/applications")
	// This sign-in began at the portal.
	requirePage(t, w.signIn(b, "https://"+virginia+"/login", "bob@example.com"), 200, "/", "bob@example.com")
}

func TestQuestionAllowsRedirectToItsDestination(t *testing.T) {
	w, b, tag := question(t, func(c *portal.Config) { c.RelayStateOrigins = []string{"https://wiki.example"} },
		"https://wiki.example/start")
	page := b.get("https://" + virginia + "/continue?s=" + tag)
	assert.Contains(t, page.Header.Get("Content-Security-Policy"), "form-action 'self' https://wiki.example;")
	a := b.submit("https://"+virginia+"/continue", say(tag, "continue"))
	assert.Equal(t, "https://wiki.example/start", a.Header.Get("Location"))
	assert.True(t, w.lastSignIn().Accepted)
}
