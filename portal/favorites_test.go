package portal_test

import (
	"context"

	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// withShortcuts is a world whose Regions share their shortcuts.
func withShortcuts(t *testing.T) *world {
	t.Helper()
	store := shortcuts.NewMemoryStore()
	return newWorld(t, func(c *portal.Config) { c.Shortcuts = store })
}

const rolePath = "/accounts/111122223333/ReadOnly"

// mark is the form of a star.
func mark(target ...string) url.Values {
	form := url.Values{"favorite": {"yes"}, "back": {"/applications?q=wik"}}
	for i := 0; i < len(target); i += 2 {
		form.Set(target[i], target[i+1])
	}
	return form
}

func section(a answer, id string) string {
	_, rest, _ := strings.Cut(a.body, `aria-labelledby="`+id+`"`)
	out, _, _ := strings.Cut(rest, "</section>")
	return out
}

// What a user opens and marks in one Region is on the home page in the others.
func TestFavoritesAndRecentAreOfAllRegions(t *testing.T) {
	w := withShortcuts(t)
	here, there := w.browser(), w.browser()
	a := w.signIn(here, "https://"+virginia+"/", "alice@example.com")
	assert.NotContains(t, a.body, "Recently opened")
	requirePage(t, here.click("https://"+virginia+rolePath), 200, rolePath, `aria-pressed="false"`)
	a = here.submit("https://"+virginia+"/favorites", mark("app", "Wiki"))
	requirePage(t, a, 200, "/applications?q=wik", `value="no" aria-pressed="true"`)

	a = w.signIn(there, "https://"+frankfurt+"/", "alice@example.com")
	assert.Contains(t, section(a, "recent"), `<a href="`+rolePath+`">ReadOnly</a>`)
	assert.Contains(t, section(a, "recent"), "Production")
	assert.Contains(t, section(a, "favorites"), `<a href="https://wiki.example/?a=1&amp;b=2">Wiki</a>`)
	there.submit("https://"+frankfurt+"/favorites", mark("account", "111122223333", "set", "ReadOnly"))
	a = here.click("https://" + virginia + "/")
	assert.Contains(t, section(a, "favorites"), rolePath, "the favorite")
	assert.Empty(t, section(a, "recent"), "a favorite is not shown twice")
	assert.NotContains(t, here.click("https://"+virginia+"/?q=pro").body, "favorites", "not among what was found")

	form := mark("app", "Wiki")
	form.Set("favorite", "no")
	here.submit("https://"+virginia+"/favorites", form)
	assert.NotContains(t, section(there.click("https://"+frankfurt+"/"), "favorites"), "Wiki")
	bob := w.browser()
	assert.Empty(t, section(w.signIn(bob, "https://"+virginia+"/", "bob@example.com"), "favorites"), "of another user")
}

// A shortcut shows only what is assigned to the user now, and only that can be marked.
func TestShortcutsGiveNoAccess(t *testing.T) {
	w := withShortcuts(t)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for _, form := range []url.Values{
		mark("account", "111122223333", "set", "Admin"), mark("account", "1", "set", "ReadOnly"), mark("app", "Nope"),
		mark(), mark("app", "Wiki", "account", "111122223333", "set", "ReadOnly"),
	} {
		requirePage(t, b.submit("https://"+virginia+"/favorites", form), http.StatusNotFound, "/favorites")
	}
	b.submit("https://"+virginia+"/favorites", mark("account", "111122223333", "set", "ReadOnly"))
	a := b.post("https://"+virginia+"/favorites", mark("app", "Wiki"))
	requirePage(t, a, http.StatusForbidden, "/favorites", "another site")
	assert.Contains(t, section(b.click("https://"+virginia+"/"), "favorites"), rolePath)
	form := mark("account", "111122223333", "set", "ReadOnly")
	form.Set("back", "https://evil.example/")
	requirePage(t, b.submit("https://"+virginia+"/favorites", form), 200, "/")
}

// A user who opens one page after another causes few writes, each of which is copied to every Region.
func TestOpeningIsNotedSeldom(t *testing.T) {
	counted := &countedShortcuts{MemoryStore: shortcuts.NewMemoryStore()}
	w := newWorld(t, func(c *portal.Config) { c.Shortcuts = counted })
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	const other = "/accounts/444455556666/ReadOnly"
	for range 20 {
		b.click("https://" + virginia + rolePath)
		b.click("https://" + virginia + other)
	}
	assert.Equal(t, 1, counted.puts)
	w.clock.Advance(3 * time.Second)
	b.click("https://" + virginia + other)
	b.send("HEAD", "https://"+virginia+rolePath, "same-origin", nil)
	assert.Equal(t, 2, counted.puts)
	w.clock.Advance(50 * time.Minute)
	b.click("https://" + virginia + other)
	assert.Equal(t, 2, counted.puts, "it is the last one already")
}

// A user who marks again and again, or opens many pages at once, causes few writes, each of which is copied to every
// Region. Another user's are not among them.
func TestShortcutsAreWrittenSeldom(t *testing.T) {
	counted := &countedShortcuts{MemoryStore: shortcuts.NewMemoryStore()}
	w := newWorld(t, func(c *portal.Config) { c.Shortcuts = counted })
	b, eve := w.browser(), w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	w.signIn(eve, "https://"+virginia+"/", "eve@example.com")
	change := func(b *browser, how string) answer {
		form := mark("app", "Wiki")
		form.Set("favorite", how)
		return b.submit("https://"+virginia+"/favorites", form)
	}
	for range 20 {
		change(b, "yes")
		change(b, "no")
	}
	assert.Equal(t, 30, counted.puts)
	a := change(b, "yes")
	requirePage(t, a, http.StatusTooManyRequests, "/favorites", "Wait a minute")
	assert.Equal(t, "60", a.Header.Get("Retry-After"))
	requirePage(t, change(b, "no"), 200, "/applications?q=wik") // it is none
	change(eve, "yes")
	assert.Equal(t, 31, counted.puts, "of another user")
	w.clock.Advance(time.Minute)
	change(b, "yes")
	assert.Equal(t, 32, counted.puts)

	counted.blind = true // as for requests that have all read the list before one wrote it
	for range 20 {
		b.click("https://" + virginia + rolePath)
		b.click("https://" + virginia + "/accounts/444455556666/ReadOnly")
	}
	assert.Equal(t, 62, counted.puts)
}

type countedShortcuts struct {
	*shortcuts.MemoryStore
	blind bool // returns empty lists
	puts  int
	down  bool
}

func (c *countedShortcuts) Shortcuts(ctx context.Context, user string) (shortcuts.List, error) {
	if c.down {
		return shortcuts.List{}, errDown
	}
	if c.blind {
		return shortcuts.List{}, nil
	}
	return c.MemoryStore.Shortcuts(ctx, user)
}

func (c *countedShortcuts) Put(ctx context.Context, user string, l shortcuts.List) error {
	if c.puts++; c.down {
		return errDown
	}
	return c.MemoryStore.Put(ctx, user, l)
}

// Pages work without the store of shortcuts. Only marking says that it failed.
func TestPagesWorkWithoutShortcuts(t *testing.T) {
	counted := &countedShortcuts{MemoryStore: shortcuts.NewMemoryStore(), down: true}
	w := newWorld(t, func(c *portal.Config) { c.Shortcuts = counted })
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for _, path := range []string{"/", "/applications", rolePath, "/accounts/111122223333"} {
		requirePage(t, b.click("https://"+virginia+path), 200, path)
	}
	a := b.submit("https://"+virginia+"/favorites", mark("app", "Wiki"))
	requirePage(t, a, http.StatusServiceUnavailable, "/favorites")
	require.Contains(t, w.logged(), "shortcuts")
}

func TestFavoritesAreBounded(t *testing.T) {
	w := newWorldOf(t, many(), nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	for i := range shortcuts.MaxFavorites + 1 {
		a := b.submit("https://"+virginia+"/favorites", mark("account", many().Accounts[i].ID, "set", "Admin-00"))
		if i < shortcuts.MaxFavorites {
			require.Equal(t, 200, a.StatusCode)
		} else {
			requirePage(t, a, http.StatusConflict, "/favorites", "as many favorites as there can be")
		}
	}
	a := b.click("https://" + virginia + "/")
	assert.Less(t, len(a.body), maxPage)
	assert.Equal(t, shortcuts.MaxFavorites, strings.Count(section(a, "favorites"), "<li>"))
}
