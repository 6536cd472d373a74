package portal_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
)

// countingStore counts the records that are added.
type countingStore struct {
	acs.Store
	adds *atomic.Int32
}

func (s countingStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if !strings.HasPrefix(key, "portal.health.") { // the probe's
		s.adds.Add(1)
	}
	return s.Store.Add(ctx, key, v, exp)
}

// forms are the two kinds of sign-in that end in a valid response.
var forms = map[string]func(*world, *browser) mockidp.Form{
	"sign-in": func(w *world, b *browser) mockidp.Form {
		form, err := w.idp.Answer(b.get("https://"+virginia+"/applications").Header.Get("Location"), "alice@example.com")
		require.NoError(w.t, err)
		return form
	},
	"tile": func(w *world, _ *browser) mockidp.Form {
		form, err := w.idp.IdPInitiated("", "alice@example.com", "/applications")
		require.NoError(w.t, err)
		return form
	},
}

// H1: a response arrives again after a double click, the back button or a restored tab.
func TestReplayOfASignedInUserLeadsHome(t *testing.T) {
	for name, get := range forms {
		t.Run(name, func(t *testing.T) {
			adds := new(atomic.Int32)
			w := newWorld(t, func(c *portal.Config) {
				c.Store = countingStore{acs.NewMemoryStore(acs.MemoryConfig{Now: c.SP.Now}), adds}
			})
			b := w.browser()
			form := get(w, b)
			double := b.copy() // still has the cookies of the first click
			requirePage(t, b.post(form.URL, form.Values()), 200, "/applications", "Wiki")
			session := b.cookie(virginia, portal.SessionCookie)
			double.put(virginia, b.Jar[virginia][portal.SessionCookie])
			adds.Store(0)
			for range 12 {
				for _, again := range []*browser{b, double} {
					a := again.post(form.URL, form.Values())
					require.Equal(t, http.StatusForbidden, a.StatusCode)
					requirePage(t, again.refresh(a), 200, "/", "Alice Adams")
				}
			}
			assert.Equal(t, session, b.cookie(virginia, portal.SessionCookie), "it is the same session")
			assert.Equal(t, 1, w.sessions["us-east-1"].Len())
			assert.LessOrEqual(t, int(adds.Load()), 24, "only replay records are added")
			assert.Contains(t, w.logged(), "signed in already")
			assert.Contains(t, w.logged(), "verdict=refused", "the refusal is logged")

			// The same holds after the assertion has expired, while the session is valid.
			w.clock.Advance(50 * time.Minute)
			requirePage(t, b.refresh(b.post(form.URL, form.Values())), 200, "/", "Alice Adams")
		})
	}
}

func TestReplayInAnotherBrowserIsRefused(t *testing.T) {
	for name, get := range forms {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			b, other := w.browser(), w.browser()
			form := get(w, b)
			b.post(form.URL, form.Values())
			a := other.post(form.URL, form.Values())
			require.Equal(t, http.StatusForbidden, a.StatusCode)
			page := other.refresh(a)
			assert.Equal(t, http.StatusForbidden, page.StatusCode)
			assert.Equal(t, "/refused", page.url.Path)
			for _, text := range []string{"Sign-in did not work", `href="/login"`, page.url.Query().Get("reference")} {
				assert.Contains(t, page.body, text)
			}
			assert.NotContains(t, a.body+page.body, "Nothing was changed")
			assert.Empty(t, page.Header.Get("Refresh"), "no redirect loop")
			assert.Empty(t, other.Jar[virginia])
			assert.Equal(t, 1, w.sessions["us-east-1"].Len())

			// After the session has ended, the user is not signed in again.
			b.submit("https://"+virginia+portal.PathSignOut, url.Values{})
			assert.Equal(t, http.StatusForbidden, b.refresh(b.post(form.URL, form.Values())).StatusCode)
		})
	}
}

// The browser opens twelve tabs at once, and all begin before any has a response. Each sign-in can be finished, and one
// session remains.
func TestTwelveTabsAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	var tabs []mockidp.Form
	for range 12 {
		fresh := w.browser()
		a := fresh.get("https://" + virginia + "/")
		form, err := w.idp.Answer(a.Header.Get("Location"), "alice@example.com")
		require.NoError(t, err)
		tabs = append(tabs, form)
		for _, c := range fresh.Jar[virginia] {
			b.put(virginia, c)
		}
	}
	for _, form := range tabs {
		requirePage(t, b.post(form.URL, form.Values()), 200, "/", "Alice Adams")
	}
	assert.Equal(t, 1, w.sessions["us-east-1"].Len())
}

func TestRefusedLeadsNowhereElse(t *testing.T) {
	w := newApart(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+startVirginia+"/", "alice@example.com")
	for _, query := range []string{"", "?reference=MRD-7F3K-29QX", "?return_to=https://evil.example",
		"?to=//evil.example&reference=https://evil.example"} {
		a := b.send("GET", "https://"+virginia+"/refused"+query, "cross-site", nil)
		assert.Equal(t, http.StatusSeeOther, a.StatusCode)
		assert.Equal(t, "https://"+startVirginia+"/", a.Header.Get("Location"),
			"the portal, where the consumer has a host of its own")
		assert.Empty(t, a.Cookies())
	}
	page := w.browser().get("https://" + virginia + "/refused?reference=%3Cscript%3E")
	assert.Equal(t, http.StatusForbidden, page.StatusCode)
	assert.NotContains(t, page.body, "<script>")
	assert.Equal(t, http.StatusMethodNotAllowed, b.submit("https://"+virginia+"/refused", url.Values{}).StatusCode)
}

// The sessions of one sign-in are bounded, both at once and over time.
func TestSessionsOfOneSignInAreBounded(t *testing.T) {
	w, s := newShared(t, nil)
	first := w.browser()
	w.signIn(first, "https://"+virginia+"/", "alice@example.com")
	all := []*browser{first}
	round := func() {
		for _, b := range all {
			for range 25 {
				other := w.browser()
				for host, from := range map[string]string{frankfurt: "us-east-1", virginia: "eu-central-1"} {
					other.Jar = b.copy().Jar
					delete(other.Jar, host)
					other.follow(other.send("GET", "https://"+host+"/?from="+from, "none", nil))
					if other.cookie(host, portal.SessionCookie) != "" {
						all = append(all, other.copy())
					}
				}
			}
			if len(all) > 100 {
				break
			}
		}
	}
	round()
	round()
	assert.LessOrEqual(t, s.sessions.Len(), 41, "twenty codes a minute from each of two portals")
	for range 10 {
		w.clock.Advance(time.Minute + time.Second)
		all = all[:1]
		round()
	}
	assert.Equal(t, 64, s.sessions.Len())
	assert.Contains(t, w.logged(), "reason=Sessions")
	assert.Contains(t, w.logged(), "reason=HandoffOften")
	w.signIn(w.browser(), "https://"+virginia+"/", "alice@example.com")
	assert.Equal(t, 65, s.sessions.Len(), "another sign-in has codes of its own")
}
