package replica_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Rules 66 and 67, invariant 14: with the primary dead, a sign-out and a
// revocation in one Region end the session in another.
func TestInvariant14RevocationWithThePrimaryDead(t *testing.T) {
	t.Parallel()
	us, eu, ap := three(t)
	for i := range 4 {
		signIn(t, us, "u-1", fmt.Sprintf("s-%d", i))
	}
	signIn(t, ap, "u-2", "other")
	for _, n := range []*replica.Node{eu, ap} {
		eventually(t, "sessions everywhere", func() bool { return alive(t, n, "s-3") && alive(t, n, "other") })
	}
	us.Close()

	ctx := background(t)
	require.NoError(t, eu.Sessions().EndSignIn(ctx, "u-1", "signin-s-0", time.Now().Add(time.Hour)))
	assert.False(t, alive(t, eu, "s-0"))
	eventually(t, "sign-out", func() bool { return !alive(t, ap, "s-0") })
	assert.True(t, alive(t, ap, "s-1"))

	require.ErrorIs(t, eu.Sessions().Revoke(ctx, "u-2", "s-1"), sessions.ErrNoSession, "not theirs")
	require.NoError(t, eu.Sessions().Revoke(ctx, "u-1", "s-1"))
	require.ErrorIs(t, eu.Sessions().Revoke(ctx, "u-1", "s-1"), sessions.ErrNoSession, "no longer")
	eventually(t, "revocation", func() bool { return !alive(t, ap, "s-1") })
	assert.True(t, alive(t, ap, "s-2"))

	require.NoError(t, eu.Sessions().RevokeUser(ctx, "u-1"))
	eventually(t, "all of them", func() bool { return !alive(t, ap, "s-2") && !alive(t, ap, "s-3") })
	assert.True(t, alive(t, ap, "other"), "another user's session lives")
	signIn(t, ap, "u-1", "new")
	eventually(t, "a later session", func() bool { return alive(t, eu, "new") })

	require.NoError(t, ap.Sessions().End(ctx, "key-new"))
	require.ErrorIs(t, ap.Sessions().Touch(ctx, "key-new", time.Now()), sessions.ErrNoSession)
	eventually(t, "its end", func() bool { return !alive(t, eu, "new") })
	list, err := eu.Sessions().List(ctx, "u-1")
	require.NoError(t, err)
	assert.Empty(t, list)
	r, err := replica.Check(ctx, eu, ap)
	require.NoError(t, err, r.String())
}

// A session that is made elsewhere at the very moment at which all of the
// user's sessions are ended does not survive, unless it knew of that.
func TestSessionsMadeWhileTheUserIsRevoked(t *testing.T) {
	t.Parallel()
	us, eu, ap := three(t)
	ctx := background(t)
	var wg sync.WaitGroup
	for _, n := range []*replica.Node{us, eu, ap} {
		wg.Go(func() {
			for i := range 50 {
				e, err := n.Sessions().Epoch(ctx, "u-1")
				assert.NoError(t, err)
				id := fmt.Sprintf("%s-%d", n.Region(), i)
				assert.NoError(t, n.Sessions().Create(ctx, "key-"+id, at(n, session("u-1", id, e))))
			}
		})
	}
	var known sessions.Epoch
	wg.Go(func() {
		for range 5 {
			before, _ := eu.Sessions().Epoch(ctx, "u-1")
			assert.NoError(t, eu.Sessions().RevokeUser(ctx, "u-1"))
			after, _ := eu.Sessions().Epoch(ctx, "u-1")
			assert.Greater(t, after[frankfurt], before[frankfurt], "each one counts")
		}
		assert.NoError(t, ap.Sessions().RevokeUser(ctx, "u-1"))
		known, _ = eu.Sessions().Epoch(ctx, "u-1")
	})
	wg.Wait()
	r, err := replica.Check(ctx, us, eu, ap)
	require.NoError(t, err, r.String())
	now, err := us.Sessions().Epoch(ctx, "u-1")
	require.NoError(t, err)
	assert.Len(t, now, 2)
	assert.Equal(t, known[frankfurt], now[frankfurt])
	for _, n := range []*replica.Node{us, eu, ap} {
		list, err := n.Sessions().List(ctx, "u-1")
		require.NoError(t, err)
		for _, s := range list {
			assert.Equal(t, now, s.Epoch, "a session that lives knew of all revocations")
		}
	}
}

// Disabling or removing a user ends the user's sessions, those too that are
// made by Regions which haven't heard of it.
func TestDisabledAndRemovedUsersLoseTheirSessions(t *testing.T) {
	t.Parallel()
	us, eu, ap := three(t)
	signIn(t, eu, "u-1", "s-1")
	signIn(t, ap, "u-2", "s-2")
	before, err := ap.Sessions().Epoch(background(t), "u-1")
	require.NoError(t, err)
	for _, n := range []*replica.Node{us, eu, ap} {
		eventually(t, "both", func() bool { return alive(t, n, "s-1") && alive(t, n, "s-2") })
	}

	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-1", UserName: "alice@example.com", Inactive: true})))
	assert.False(t, alive(t, us, "s-1"), "at once where it is written")
	for _, n := range []*replica.Node{eu, ap} {
		eventually(t, "the session's end", func() bool { return !alive(t, n, "s-1") })
		assert.True(t, alive(t, n, "s-2"))
	}
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-1", UserName: "alice@example.com"})))
	assert.False(t, alive(t, us, "s-1"), "enabling brings no session back")
	require.NoError(t, ap.Sessions().Create(background(t), "key-late", at(ap, session("u-1", "late", before))))
	assert.False(t, alive(t, ap, "late"), "its sign-in was before")
	signIn(t, ap, "u-1", "s-3")
	assert.True(t, alive(t, ap, "s-3"))

	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	for _, n := range []*replica.Node{us, eu, ap} {
		eventually(t, "the session's end", func() bool { return !alive(t, n, "s-2") })
	}
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
}

func TestTouchIsKeptNowAndThen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := open(t, configOf(virginia, dir))
	signIn(t, n, "u-1", "s-1")
	ctx := background(t)
	s, err := n.Sessions().Get(ctx, "key-s-1")
	require.NoError(t, err)
	held := replica.Held(t, n)["sessions_us-east-1"]
	for i := range 30 {
		require.NoError(t, n.Sessions().Touch(ctx, "key-s-1", s.Seen.Add(time.Duration(i)*time.Second)))
	}
	require.NoError(t, n.Sessions().Touch(ctx, "key-s-1", s.Seen))
	now, err := n.Sessions().Get(ctx, "key-s-1")
	require.NoError(t, err)
	assert.Equal(t, 29*time.Second, now.Seen.Sub(s.Seen), "at once here, and never back")
	assert.Equal(t, held, replica.Held(t, n)["sessions_us-east-1"], "less than a minute is not written")

	require.NoError(t, n.Sessions().Touch(ctx, "key-s-1", s.Seen.Add(2*time.Minute)))
	eventually(t, "the write", func() bool { return replica.Held(t, n)["sessions_us-east-1"] == held+1 })
	n.Close()
	again := open(t, configOf(virginia, dir))
	kept, err := again.Sessions().Get(ctx, "key-s-1")
	require.NoError(t, err)
	assert.Equal(t, 2*time.Minute, kept.Seen.Sub(s.Seen))
}
