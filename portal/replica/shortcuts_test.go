package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

func listOf(t testing.TB, n *replica.Node, user string) shortcuts.List {
	t.Helper()
	l, err := n.Shortcuts().Shortcuts(background(t), user)
	require.NoError(t, err)
	return l
}

// put stores a list as a portal does.
func put(t testing.TB, n *replica.Node, user string, change func(*shortcuts.List)) {
	t.Helper()
	l := listOf(t, n, user)
	change(&l)
	require.NoError(t, n.Shortcuts().Put(background(t), user, l))
}

func app(id string) shortcuts.Target { return shortcuts.Target{Application: id} }

// Any Region may write a user's shortcuts, also with all others lost, and all Regions agree in the end.
func TestShortcutsAreOfAllRegions(t *testing.T) {
	t.Parallel()
	usConfig := configOf(virginia, t.TempDir())
	us, eu := open(t, usConfig), open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	now := time.Now()
	put(t, us, "u-1", func(l *shortcuts.List) { l.Mark(app("wiki"), true, now) })
	eventually(t, "the favorite", func() bool { return listOf(t, eu, "u-1").IsFavorite(app("wiki")) })

	us.Close()
	put(t, eu, "u-1", func(l *shortcuts.List) { l.Mark(app("wiki"), false, now) })
	put(t, eu, "u-1", func(l *shortcuts.List) { l.Open(app("farm"), now.Add(time.Second)) })
	us = open(t, usConfig)
	assert.True(t, listOf(t, us, "u-1").IsFavorite(app("wiki")), "as it was, from its disk")
	put(t, us, "u-1", func(l *shortcuts.List) { l.Mark(app("docs"), true, now.Add(time.Minute)) })

	follow(t, us, eu)
	for _, n := range []*replica.Node{us, eu} {
		eventually(t, "both Regions' changes", func() bool {
			l := listOf(t, n, "u-1")
			return len(l.Favorites()) == 1 && l.IsFavorite(app("docs")) && len(l.Recent()) == 1
		})
	}
	assert.Empty(t, listOf(t, eu, "u-2").Items)
	eventually(t, "equal states", func() bool {
		return len(replica.Compare(us.Digest(), eu.Digest()).Differences) == 0
	})
}

// The shortcuts of a user who is removed from the directory end in every Region, and a user who is added under the same
// ID begins without any. Those of a disabled user stay.
func TestShortcutsEndWithTheUser(t *testing.T) {
	t.Parallel()
	us, eu := open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	for _, user := range []string{"u-1", "u-2"} {
		put(t, us, user, func(l *shortcuts.List) { l.Open(app("wiki"), time.Now()) })
		eventually(t, "the list", func() bool { return len(listOf(t, eu, user).Items) == 1 })
		put(t, eu, user, func(l *shortcuts.List) { l.Mark(app("farm"), true, time.Now()) })
	}
	bob := center.User{ID: "u-2", UserName: "bob@example.com", Inactive: true}
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		if err := tx.PutUser(bob); err != nil {
			return err
		}
		return tx.RemoveUser("u-1")
	}))
	eventually(t, "the removal", func() bool { _, ok := eu.View().UserByID("u-1"); return !ok })
	for _, n := range []*replica.Node{us, eu} {
		replica.EndShortcuts(t, n)
	}
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-1", UserName: "alice@example.com"})))
	for _, n := range []*replica.Node{us, eu} {
		eventually(t, "no shortcuts", func() bool { return len(listOf(t, n, "u-1").Items) == 0 })
		assert.Len(t, listOf(t, n, "u-2").Items, 2)
	}
}

// A version that doesn't know shortcuts goes on serving, and keeps them.
func TestOlderVersionsSkipShortcuts(t *testing.T) {
	t.Parallel()
	older := build(t, baseline(t))
	us := open(t, configOf(virginia, t.TempDir()))
	eu := startOf(t, older, job{Region: frankfurt, Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	require.Equal(t, "ok", eu.say(t, "follow %s %s", virginia, us.Addr()))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.say(t, "addr")}))
	eu.becomes(t, "replicated", "await")
	put(t, us, "u-1", func(l *shortcuts.List) { l.Open(app("wiki"), time.Now()) })
	signIn(t, us, "u-1", "s-1")
	eu.becomes(t, "alive", "alive s-1")
}
