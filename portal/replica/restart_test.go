package replica_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Rules 47 and 77, invariant 14: an additional Region that is restarted with
// all others dead serves what was provisioned before.
func TestRule47RestartWithThePrimaryDead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, dir))
	mesh(t, us, eu)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	signIn(t, us, "u-1", "s-1")
	signIn(t, us, "u-1", "s-2")
	eventually(t, "all of it", func() bool { _, ok := eu.View().UserByID("u-3"); return ok && alive(t, eu, "s-2") })
	require.NoError(t, eu.Sessions().Revoke(background(t), "u-1", "s-2"))
	want := eu.Digest()
	addr := us.Addr()
	us.Close()
	eu.Close()

	c := configOf(frankfurt, dir)
	c.Peers = map[string]replica.Peer{virginia: {URL: addr}}
	eu = open(t, c)
	require.NoError(t, eu.Ready(background(t)))
	assert.Empty(t, replica.Compare(want, eu.Digest()).Differences)
	assert.Len(t, eu.View().Accounts("u-1"), 1)
	assert.True(t, alive(t, eu, "s-1"))
	assert.False(t, alive(t, eu, "s-2"), "revoked is revoked")
	signIn(t, eu, "u-3", "s-3")
	assert.True(t, alive(t, eu, "s-3"))
	require.Len(t, eu.Peers(), 1)
	assert.Equal(t, portal.PeerUnreachable, eu.Peers()[0].State)
	assert.Zero(t, eu.Peers()[0].Heard)
}

// An additional Region that was never replicated to accepts no session.
func TestNotReadyBeforeTheInitialReplication(t *testing.T) {
	eu := open(t, configOf(frankfurt, t.TempDir()))
	assert.Nil(t, eu.Instance())
	assert.Nil(t, eu.View())
	_, err := eu.Sessions().Get(background(t), "key")
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, replica.ReasonNotReady, e.Reason)
	require.False(t, errors.Is(err, sessions.ErrNoSession))
}

// A Region that was off gets what it missed, even if the log was shortened meanwhile.
func TestCatchUpAfterTheLogWasShortened(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	dir := t.TempDir()
	eu := open(t, configOf(frankfurt, dir))
	mesh(t, us, eu)
	eu.Close()

	long := make([]byte, 200)
	for i := range long {
		long[i] = 'x'
	}
	for round := range 8 { // 8 times 400 users of 600 bytes
		require.NoError(t, us.View().Update(func(tx *center.Tx) error {
			var errs []error
			for i := range 400 {
				errs = append(errs, tx.PutUser(center.User{ID: userName(i), UserName: userName(i), DisplayName: string(long),
					Email: string(long), GivenName: string(long), Inactive: round%2 != 0}))
			}
			return errors.Join(errs...)
		}))
	}
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser(userName(7)) }))
	eventually(t, "a shorter log", func() bool { return replica.Held(t, us)["KV_config_us-east-1"] < 16 })

	eu = open(t, configOf(frankfurt, dir))
	_, there := eu.View().UserByID(userName(7))
	assert.False(t, there, "it has not heard of them yet")
	mesh(t, us, eu)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	assert.Greater(t, r.Items, 800)
	_, there = eu.View().UserByID(userName(6))
	assert.True(t, there)
	eventually(t, "a shorter copy", func() bool {
		return replica.Held(t, eu)["KV_config_us-east-1"] <= replica.Held(t, us)["KV_config_us-east-1"]
	})
	eu.Close()
	eu = open(t, configOf(frankfurt, dir))
	assert.Empty(t, replica.Compare(us.Digest(), eu.Digest()).Differences, "and reads the same from its own disk")
}

// A primary whose disk was emptied begins as a new one. The others don't follow it, and it stops
// when they show it its earlier log. It recovers its log from them, or begins anew with Restored.
func TestADiskThatWasEmptied(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-2", UserName: "bob@example.com", Inactive: true})))
	signIn(t, us, "u-1", "s-1")
	signIn(t, us, "u-1", "s-2")
	require.NoError(t, us.Sessions().Revoke(background(t), "u-1", "s-2"))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()

	dir := t.TempDir()
	us = open(t, configOf(virginia, dir))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
	eventually(t, "what Frankfurt shows", func() bool { return peerState(eu, virginia) == portal.PeerDamaged })
	_, ok := eu.View().UserByID("u-3")
	assert.True(t, ok, "it keeps what it has")
	us.Close()

	refusesToOpen(t, configOf(virginia, dir))
	for _, where := range []string{dir, t.TempDir()} { // the one that has begun, and an empty one, without Seed
		c := configOf(virginia, where)
		c.Seed = center.Data{}
		us = recovered(t, c, eu)
		mesh(t, us, eu)
		r, err = replica.Check(background(t), us, eu)
		require.NoError(t, err, r.String())
		_, ok = us.View().UserByID("u-3")
		assert.True(t, ok)
		bob, _ := us.View().UserByID("u-2")
		assert.True(t, bob.Inactive)
		assert.True(t, alive(t, us, "s-1"))
		assert.False(t, alive(t, us, "s-2"))
		us.Close()
	}

	c := afterStarts(t, configOf(virginia, t.TempDir()), eu)
	c.Restored = true
	us = open(t, c)
	mesh(t, us, eu)
	eventually(t, "the new instance", func() bool { _, ok := eu.View().UserByID("u-3"); return !ok })
	assert.Equal(t, us.View().Snapshot().Records(), eu.View().Snapshot().Records())
}

// Recovery that no other Region answers changes nothing, and leaves no Region
// that looks new.
func TestRecoveryWaitsForTheRegionsThatItNames(t *testing.T) {
	dir := t.TempDir()
	c := configOf(virginia, dir)
	ctx, cancel := context.WithCancel(background(t))
	defer cancel()
	dialer := noNetwork{dialed: cancel}
	c.Recover, c.Peers = []string{frankfurt}, map[string]replica.Peer{frankfurt: {URL: "nats://127.0.0.1:1",
		Options: []nats.Option{nats.SetCustomDialer(dialer)}}}
	_, err := replica.Open(ctx, c)
	require.Equal(t, replica.ReasonUnavailable, reasonOf(err), "%v", err)
	refusesToOpen(t, configOf(virginia, dir))
	c.Recover = []string{mumbai}
	_, err = replica.Open(background(t), c)
	require.Equal(t, replica.ReasonConfig, reasonOf(err), "%v", err)
}

// Rules 19, 20 and 23: a Region that is being added is replicated to, says so
// itself, and is made active by the primary.
func TestRule19RegionsAreAdded(t *testing.T) {
	t.Parallel()
	c := configOf(virginia, t.TempDir())
	c.Seed = seed(virginia)
	for i := range 2000 {
		c.Seed.Users = append(c.Seed.Users, center.User{UserName: userName(i)})
	}
	us := open(t, c)
	signIn(t, us, "u-1", "s-1")
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-2"))
	var log record
	c = configOf(frankfurt, t.TempDir())
	c.Logger = log.logger()
	eu := open(t, c)
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	eventually(t, "a refusal", func() bool { return log.count("the primary does not list this Region") == 1 })
	assert.Zero(t, eu.Peers()[0].Done, "nothing leaves the primary before it lists the Region")
	assert.Nil(t, eu.View())

	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		return tx.PutRegion(center.Region{Name: frankfurt, Status: center.RegionAdding})
	}))
	r, _ := us.View().Snapshot().Region(frankfurt)
	assert.Equal(t, center.RegionAdding, r.Status, "before the primary hears anything from it")
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.Ready(background(t)))
	var p portal.Peer
	eventually(t, "a peer", func() bool { p = eu.Peers()[0]; return p.State == portal.PeerReplicated })
	assert.Greater(t, p.Total, uint64(2000))
	assert.Equal(t, p.Total, p.Done)
	eventually(t, "the same progress in the primary", func() bool {
		seen := us.Peers()[0]
		return seen.ToCopy == p.Total && seen.Copied == p.Done
	})
	assert.True(t, alive(t, eu, "s-1"))
	for _, n := range []*replica.Node{us, eu} {
		eventually(t, "ACTIVE", func() bool { r, ok := n.View().Snapshot().Region(frankfurt); return ok && r.Active() })
	}
	// Taken out and added again, it has to say so again.
	for _, status := range []center.RegionStatus{center.RegionRemoving, center.RegionAdding} {
		require.NoError(t, us.View().Update(func(tx *center.Tx) error {
			return tx.PutRegion(center.Region{Name: frankfurt, Status: status})
		}))
	}
	eventually(t, "ACTIVE again", func() bool { r, ok := us.View().Snapshot().Region(frankfurt); return ok && r.Active() })
	rep, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, rep.String())
}

// A cut-off Region says how old its knowledge is.
func TestHeardStandsStillWhenAPeerIsGone(t *testing.T) {
	t.Parallel()
	us, eu, _ := three(t)
	peer := func() portal.Peer { return eu.Peers()[1] }
	require.Equal(t, virginia, peer().Region)
	first := peer().Heard
	eventually(t, "news", func() bool { return peer().Heard.After(first) })
	us.Close()
	gone := time.Now()
	eventually(t, "loss", func() bool { return peer().State == portal.PeerUnreachable })
	assert.True(t, peer().Heard.Before(gone))
}

// A second sign-out with an earlier expiry doesn't shorten the first, also in the stream.
func TestASecondSignOutIsNotForgottenSooner(t *testing.T) {
	dir := t.TempDir()
	n := open(t, configOf(virginia, dir))
	ctx := background(t)
	last := time.Now().Add(100 * time.Hour)
	require.NoError(t, n.Sessions().EndSignIn(ctx, "u-1", "s", last))
	require.NoError(t, n.Sessions().EndSignIn(ctx, "u-1", "s", time.Now()))
	n.Close()
	n = open(t, configOf(virginia, dir))
	assert.True(t, n.Digest().Items[fmt.Sprintf("signed out %q %q", "u-1", "s")].Until.Equal(last))
}
