package replica_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// refusedWith says whether a Node's error has a Reason.
func refusedWith(err error, want replica.Reason) bool {
	var e *replica.Error
	return errors.As(err, &e) && e.Reason == want
}

func remove(t testing.TB, us *replica.Node, region string) {
	t.Helper()
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveRegion(region) }))
}

func add(t testing.TB, us *replica.Node, region string) {
	t.Helper()
	require.NoError(t, us.View().Update(func(tx *center.Tx) error {
		return tx.PutRegion(center.Region{Name: region, Status: center.RegionAdding})
	}))
}

func erased(t testing.TB, n *replica.Node) {
	t.Helper()
	select {
	case <-replica.Erased(n):
	case <-background(t).Done():
		require.Fail(t, "not erased")
	}
}

// found returns the files below a directory in which a text is.
func found(t testing.TB, dir, text string) (out []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(b, []byte(text)) {
			out = append(out, path)
		}
		return nil
	}))
	return out
}

// Invariant 15: when the primary has removed a Region, its data is gone from its
// streams, its files and its memory. It serves nothing from then on, and hears of no
// user who is added later.
func TestARemovedRegionErasesWhatItHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	us, ap := open(t, configOf(virginia, t.TempDir())), open(t, configOf(mumbai, t.TempDir()))
	eu := open(t, configOf(frankfurt, dir))
	mesh(t, us, eu, ap)
	view := eu.View()
	for _, n := range []*replica.Node{us, eu} {
		signIn(t, n, "u-1", "s-"+n.Region())
	}
	require.NoError(t, eu.Codes().PutCode(background(t), "code", []byte("c"), time.Now().Add(time.Hour)))
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	require.NotEmpty(t, found(t, dir, "alice@example.com"))

	remove(t, us, frankfurt)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-9", UserName: "dave@example.com"})))
	signIn(t, us, "u-9", "s-9")
	erased(t, eu)
	assert.Equal(t, map[string]uint64{"removed_" + frankfurt: 1}, replica.Held(t, eu))
	for _, text := range []string{"alice@example.com", "bob@example.com", "dave@example.com", "111111111111",
		"signin-s-", "u-1", "u-9"} {
		assert.Empty(t, found(t, dir, text), text)
	}
	for what := range eu.Digest().Items {
		assert.True(t, strings.HasPrefix(what, "instance region "), what)
	}
	assert.Same(t, view, eu.View(), "callers chain on it")
	assert.Empty(t, view.Snapshot().Data().Users)
	_, err = eu.Sessions().Get(background(t), "key-s-"+virginia)
	assert.True(t, refusedWith(err, replica.ReasonRemoved), "%v", err)
	_, _, err = eu.Codes().TakeCode(background(t), "code")
	assert.True(t, refusedWith(err, replica.ReasonRemoved), "%v", err)
	for what, err := range map[string]error{
		"session": eu.Sessions().Create(background(t), "k", at(eu, session("u-1", "s", nil))),
		"end":     eu.Sessions().EndSignIn(background(t), "u-1", "s", time.Time{}),
		"revoke":  eu.Sessions().RevokeUser(background(t), "u-1"),
		"code":    eu.Codes().PutCode(background(t), "k", nil, time.Now().Add(time.Hour)),
		"update": view.Update(func(tx *center.Tx) error {
			return tx.PutApplication(center.Application{ID: "a", Name: "a", URL: "https://a.example", Region: frankfurt})
		}),
		"peer":  eu.AddPeer(background(t), mumbai, replica.Peer{URL: ap.Addr()}),
		"ready": eu.Ready(background(t)),
	} {
		assert.True(t, refusedWith(err, replica.ReasonRemoved), "%s: %v", what, err)
	}
	for _, n := range []*replica.Node{us, ap} {
		eventually(t, "no session of the removed Region", func() bool { return !alive(t, n, "s-"+frankfurt) })
		eventually(t, "one of another", func() bool { return alive(t, n, "s-"+virginia) })
		eventually(t, "not followed", func() bool { return len(n.Peers()) == 1 })
		assert.True(t, refusedWith(n.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}), replica.ReasonRemoved))
	}

	// It says so when it is started again, with the primary dead too.
	eu.Close()
	cfg := configOf(frankfurt, dir)
	cfg.Peers = map[string]replica.Peer{virginia: {URL: us.Addr()}}
	_, err = replica.Open(background(t), cfg)
	assert.True(t, refusedWith(err, replica.ReasonRemoved), "%v", err)
	_, err = replica.Open(background(t), configOf(frankfurt, dir))
	assert.True(t, refusedWith(err, replica.ReasonRemoved), "%v", err)

	// Added again, it begins as a new one.
	add(t, us, frankfurt)
	eu = open(t, cfg)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, ap.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), mumbai, replica.Peer{URL: ap.Addr()}))
	require.NoError(t, eu.Ready(background(t)))
	signIn(t, eu, "u-9", "s-new")
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-2"))
	r, err = replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, eu, ap} {
		assert.True(t, alive(t, n, "s-new"), n.Region())
		assert.False(t, alive(t, n, "s-"+frankfurt), n.Region())
		eventually(t, "ACTIVE", func() bool { r, ok := n.View().Snapshot().Region(frankfurt); return ok && r.Active() })
	}
}

// A Region that was off while it was removed gets only that when it is back.
func TestARegionThatWasOffHearsOfItsRemoval(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, dir))
	mesh(t, us, eu)
	signIn(t, us, "u-1", "s-1")
	eu.Close()
	remove(t, us, frankfurt)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-9", UserName: "dave@example.com"})))
	nc, _ := asPeer(t, us)
	for from, want := range map[string]string{
		frankfurt: `{"nonce":"n","store":"","after":0,"pending":0,"last":0,` +
			`"error":"the Region that asks was removed","unlisted":true,"removed":`,
		"eu-south-1":   `"error":"the Region that asks is not listed","unlisted":true,"format":`,
		"eu-central-*": `"error":"the Region that asks is not listed","unlisted":true,"format":`,
		"":             `"error":"the question does not say which Region asks","format":`,
	} {
		for _, line := range []string{"config", "sessions", "revoked"} {
			m, err := nc.Request("meridian.follow.us-east-1",
				fmt.Appendf(nil, `{"line":%q,"from":%q,"nonce":"n","format":1,"reads":1}`, line, from), hang)
			require.NoError(t, err)
			assert.Contains(t, string(m.Data), want)
		}
	}
	eu = open(t, configOf(frankfurt, dir))
	require.NoError(t, eu.Ready(background(t)), "it can't know")
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	erased(t, eu)
	for _, text := range []string{"alice@example.com", "dave@example.com"} {
		assert.Empty(t, found(t, dir, text))
	}
}

// What a removed Region ended stays ended, after a restart too, until no session from before can
// live. Then no goroutine, file or stream of it is left.
func TestRegionsThatWereRemovedLeaveNothing(t *testing.T) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	dirs := map[string]string{virginia: t.TempDir(), mumbai: t.TempDir()}
	start := func(region string) *replica.Node {
		c := configOf(region, dirs[region])
		c.Now = now
		return open(t, c)
	}
	var us, ap *replica.Node
	restart := func() {
		if us != nil {
			us.Close()
			ap.Close()
		}
		us, ap = start(virginia), start(mumbai)
		mesh(t, us, ap)
		for _, n := range []*replica.Node{us, ap} {
			eventually(t, "word of the other", func() bool { return !n.Peers()[0].Heard.IsZero() })
		}
	}
	restart()
	restart() // which writes files that are there at every later start
	sizes := func() (out [3]int) {
		for _, n := range []*replica.Node{us, ap} {
			out[2] += len(replica.Held(t, n))
		}
		for _, dir := range dirs {
			require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				passing := strings.Contains(path, ".new-") || strings.HasSuffix(path, ".tmp") // is renamed at once
				if err == nil && !d.IsDir() && !passing {
					out[1]++
				}
				return nil
			}))
		}
		out[0] = runtime.NumGoroutine()
		return out
	}
	steady := sizes()
	// Questions come and go; a Region that is followed takes 28 goroutines.
	asBefore := func() bool {
		now := sizes()
		return now[0] < steady[0]+20 && now[1] == steady[1] && now[2] == steady[2]
	}

	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu, ap)
	signIn(t, us, "u-1", "s-1")
	signIn(t, us, "u-2", "s-2")
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-1"))
	require.NoError(t, eu.Sessions().Revoke(background(t), "u-2", "s-2"))
	r, err = replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	remove(t, us, frankfurt)
	erased(t, eu)
	eu.Close()
	for _, n := range []*replica.Node{us, ap} {
		eventually(t, "its sessions and configuration gone", func() bool {
			held := replica.Held(t, n)
			_, one := held["KV_config_"+frankfurt]
			_, two := held["sessions_"+frankfurt]
			return !one && !two
		})
		assert.Equal(t, uint64(2), replica.Held(t, n)["revoked_"+frankfurt])
	}
	restart()
	for _, n := range []*replica.Node{us, ap} {
		assert.False(t, alive(t, n, "s-1"), n.Region())
		assert.False(t, alive(t, n, "s-2"), n.Region())
		assert.Equal(t, uint64(2), replica.Held(t, n)["revoked_"+frankfurt])
	}

	ahead.Store(int64(13 * time.Hour))
	for _, n := range []*replica.Node{us, ap} {
		eventually(t, "nothing left", func() bool {
			replica.Tick(n)
			_, left := replica.Held(t, n)["revoked_"+frankfurt]
			e, err := n.Sessions().Epoch(background(t), "u-1")
			require.NoError(t, err)
			return !left && len(e) == 0
		})
	}
	eventually(t, "as before", asBefore)
	restart()
	eventually(t, "as before, after a restart", asBefore)
}

// A Region on servers of its own, with two Nodes, is erased there.
func TestARemovedRegionOnServersOfItsOwn(t *testing.T) {
	t.Parallel()
	c := newCluster(t, frankfurt, 1)
	us := open(t, configOf(virginia, t.TempDir()))
	nodes := []*replica.Node{c.node(t, frankfurt), c.node(t, frankfurt)}
	for _, n := range nodes {
		require.NoError(t, n.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
		require.NoError(t, n.Ready(background(t)))
	}
	signIn(t, nodes[0], "u-1", "s-1")
	remove(t, us, frankfurt)
	for _, n := range nodes {
		erased(t, n)
		n.Close()
	}
	var names []string
	list := c.streams(t).StreamNames(background(t))
	for name := range list.Name() {
		names = append(names, name)
	}
	require.ErrorIs(t, errors.Join(list.Err(), jetstream.ErrEndOfData), jetstream.ErrEndOfData)
	assert.Equal(t, []string{"removed_" + frankfurt}, names)
	cfg := c.config(frankfurt)
	cfg.Peers = map[string]replica.Peer{virginia: {URL: us.Addr()}}
	_, err := replica.Open(background(t), cfg)
	assert.True(t, refusedWith(err, replica.ReasonRemoved), "%v", err)
	add(t, us, frankfurt)
	again := open(t, cfg)
	require.NoError(t, again.Ready(background(t)))
	_, err = again.Sessions().Get(background(t), "key-s-1")
	assert.ErrorIs(t, err, sessions.ErrNoSession)
}

// A Region that catches up reads that another was removed, and then that it was
// added again. It follows it, at the address that it had.
func TestRemovalsThatWereTakenBack(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	for range 3 {
		remove(t, us, frankfurt)
		add(t, us, frankfurt)
	}
	eu, ap := open(t, configOf(frankfurt, t.TempDir())), open(t, configOf(mumbai, t.TempDir()))
	mesh(t, us, eu)
	signIn(t, eu, "u-1", "s-1")
	mesh(t, us, eu, ap)
	eventually(t, "its session", func() bool { return alive(t, ap, "s-1") })
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, eu, ap} {
		assert.Len(t, n.Peers(), 2, n.Region())
	}
}

// Epochs of a removed Region that end no session any more don't end sessions again after a restart.
func TestWhatARemovedRegionCountedIsOverAfterARestartToo(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	c := configOf(virginia, t.TempDir())
	c.MaxSession, c.Now = time.Hour, func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	us := open(t, c)
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-1"))
	eventually(t, "the revocation", func() bool {
		e, err := us.Sessions().Epoch(background(t), "u-1")
		return err == nil && e[frankfurt] > 0
	})
	remove(t, us, frankfurt)
	us.Close()
	ahead.Store(int64(time.Hour + 12*time.Minute)) // MaxSession, twice Skew, and two minutes
	us = open(t, c)
	s := at(us, session("u-1", "s-1", nil))
	s.Created, s.Expires = c.Now(), c.Now().Add(time.Minute)
	require.NoError(t, us.Sessions().Create(background(t), "key-s-1", s))
	assert.True(t, alive(t, us, "s-1"))
}
