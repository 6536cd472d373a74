package replica_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// What ends sessions takes effect in memory first, even if the server is down or the disk is full.

// ends are the ways to end the session s of the user u.
var ends = map[string]func(ctx context.Context, n *replica.Node, u, s string) error{
	"End":        func(ctx context.Context, n *replica.Node, _, s string) error { return n.Sessions().End(ctx, "key-"+s) },
	"Revoke":     func(ctx context.Context, n *replica.Node, u, s string) error { return n.Sessions().Revoke(ctx, u, s) },
	"RevokeUser": func(ctx context.Context, n *replica.Node, u, _ string) error { return n.Sessions().RevokeUser(ctx, u) },
	"EndSignIn": func(ctx context.Context, n *replica.Node, u, s string) error {
		return n.Sessions().EndSignIn(ctx, u, "signin-"+s, time.Now().Add(time.Hour))
	},
	"disabled": func(_ context.Context, n *replica.Node, u, _ string) error {
		return n.View().Update(putUser(center.User{ID: u, UserName: u + "@example.com", Inactive: true}))
	},
}

// signedIn makes a user and a session for each of ends, in the primary.
func signedIn(t *testing.T, us *replica.Node) {
	t.Helper()
	for name := range ends {
		u := "u-" + name
		require.NoError(t, us.View().Update(putUser(center.User{ID: u, UserName: u + "@example.com"})))
		signIn(t, us, u, name)
	}
}

func TestEndsTakeEffectWhereTheyCantBeWritten(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	us := c.node(t, virginia)
	eu := open(t, configOf(frankfurt, t.TempDir()))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: c.urls}))
	require.NoError(t, eu.Ready(background(t)))
	signedIn(t, us)
	_, err := replica.Check(background(t), us, eu)
	require.NoError(t, err)

	c.stop(0)
	for name, end := range ends {
		ctx, cancel := context.WithTimeout(background(t), 50*time.Millisecond)
		err := end(ctx, us, "u-"+name, name)
		cancel()
		var why *replica.Error
		require.ErrorAs(t, err, &why, name)
		assert.Equal(t, replica.ReasonUnavailable, why.Reason, name)
		assert.False(t, alive(t, us, name), name)
	}
	u, _ := us.View().UserByID("u-disabled")
	assert.False(t, u.Inactive, "an update that failed changes nothing else")

	// The Node writes it when it can. An update is for its caller to make again.
	c.start(t, 0)
	for name := range ends {
		if name != "disabled" {
			eventually(t, name+" to be heard", func() bool { return !alive(t, eu, name) })
		}
	}
	var again error
	eventually(t, "the update to be made again", func() bool {
		again = ends["disabled"](t.Context(), us, "u-disabled", "")
		return again == nil
	})
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	assert.False(t, alive(t, eu, "disabled"))
	signIn(t, us, "u-RevokeUser", "later")
	assert.True(t, alive(t, us, "later"), "what ended is over, what begins is not")
}

// No sign-in begins under a count that was never written: its sessions would survive a later
// revocation.
func TestRevocationsThatWereNeverWritten(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	cfg := c.config(virginia)
	us := open(t, cfg)
	c.stop(0)
	for range 100 { // more than seconds pass meanwhile
		ctx, cancel := context.WithTimeout(background(t), time.Millisecond)
		require.Error(t, us.Sessions().RevokeUser(ctx, "u-1"))
		cancel()
	}
	ctx, cancel := context.WithTimeout(background(t), time.Second)
	defer cancel()
	_, err := us.Sessions().Epoch(ctx, "u-1")
	assert.Equal(t, replica.ReasonUnavailable, reasonOf(err))
	us.Close()
	c.start(t, 0)
	c.await(t)
	us = open(t, cfg)
	signIn(t, us, "u-1", "s")
	require.True(t, alive(t, us, "s"))
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-1"))
	assert.False(t, alive(t, us, "s"))
}

// A pending end that can never be written does not keep others from being written.
func TestEndsThatCantBeWrittenAreInNoOthersWay(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	cfg := c.config(virginia)
	var broken atomic.Bool
	replica.Opens(&cfg, func(_ string, v []byte) error {
		if broken.Load() && strings.Contains(string(v), "u-bad") {
			return errors.New("a byte of it is another")
		}
		return nil
	})
	us := open(t, cfg)
	// They are written by the order of their hashes: bad ones come first, too.
	users := []string{"u-bad-1", "u-bad-2", "u-bad-3", "u-bad-4", "u-1", "u-2", "u-3", "u-4"}
	for _, u := range users {
		require.NoError(t, us.Sessions().RevokeUser(background(t), u))
	}
	s, err := c.streams(t).Stream(background(t), "revoked_"+virginia)
	require.NoError(t, err)
	before := s.CachedInfo().State.LastSeq
	c.stop(0)
	for _, u := range users {
		ctx, cancel := context.WithTimeout(background(t), time.Millisecond)
		require.Error(t, us.Sessions().RevokeUser(ctx, u))
		cancel()
	}
	broken.Store(true)
	c.start(t, 0)
	c.await(t)
	eventually(t, "those that can be", func() bool {
		info, err := s.Info(background(t))
		return err == nil && info.State.LastSeq == before+4
	})
}

// An application is assigned to a user who was removed and added again. Its Region has heard of
// both, and has not read them yet. The update waits for that: the assignment would be void in all
// Regions.
func TestAnAssignmentWaitsForARemovalThatWasHeard(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	var slow atomic.Bool
	free := make(chan struct{})
	release := sync.OnceFunc(func() { close(free) })
	var opened sync.Map
	c := configOf(frankfurt, t.TempDir())
	replica.Opens(&c, func(key string, _ []byte) error {
		if _, heard := opened.LoadOrStore(key, true); heard && slow.Load() && strings.HasPrefix(key, "$KV.config_"+virginia) {
			<-free // what is heard is opened first, and then read
		}
		return nil
	})
	eu := open(t, c)
	t.Cleanup(release) // before Close, which waits for the reader
	mesh(t, us, eu)
	slow.Store(true)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-1") }))
	require.NoError(t,
		us.View().Update(putUser(center.User{ID: "u-1", UserName: "alice@example.com", DisplayName: "back"})))
	eventually(t, "the user to be heard of",
		func() bool { u, ok := eu.View().UserByID("u-1"); return ok && u.DisplayName == "back" })

	attempts := 0
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error {
		if attempts++; attempts == 3 {
			release()
		}
		return tx.PutApplication(app2(center.Application{ID: "farm", Name: "Farm", URL: "https://farm.example",
			Region: frankfurt}))
	}))
	assert.GreaterOrEqual(t, attempts, 3)
	for _, n := range []*replica.Node{us, eu} {
		eventually(t, "the assignment", func() bool { return len(n.View().Applications("u-1")) == 1 })
	}
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}

// What a peer ends takes effect before it is copied, and while it can't be.
func TestPeersEndsTakeEffectWhereTheyCantBeCopied(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	c := newCluster(t, frankfurt, 1)
	eu := c.node(t, frankfurt)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: c.urls}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	require.NoError(t, eu.Ready(background(t)))
	signedIn(t, us)
	signIn(t, us, "u-2", "last")
	_, err := replica.Check(background(t), us, eu)
	require.NoError(t, err)

	c.stop(0)
	for name, end := range ends {
		require.NoError(t, end(background(t), us, "u-"+name, name))
	}
	// More than one answer holds.
	for i := range 600 {
		require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", fmt.Sprint(i), time.Now().Add(time.Hour)))
	}
	require.NoError(t, us.Sessions().Revoke(background(t), "u-2", "last"))
	for name := range ends {
		eventually(t, name, func() bool { return !alive(t, eu, name) })
	}
	eventually(t, "the last", func() bool { return !alive(t, eu, "last") })
	u, ok := eu.View().UserByID("u-disabled")
	require.True(t, ok)
	assert.True(t, u.Inactive)
	heard := eu.Peers()[0].Heard

	c.start(t, 0)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	eventually(t, "all of it to be here", func() bool { return eu.Peers()[0].Heard.After(heard) })
}
