package replica_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// laterPrimary opens the primary as a later version that knows more kinds, and an
// additional Region of this one with a NATS server of its own, which has copied
// everything, and whose log is returned.
func laterPrimary(t *testing.T) (us, eu *replica.Node, cl *cluster, log *logged) {
	t.Helper()
	c := configOf(virginia, t.TempDir())
	replica.Know(&c, later)
	us, cl = open(t, c), newCluster(t, frankfurt, 1)
	ec := cl.config(frankfurt)
	log = &logged{}
	ec.Logger = slog.New(slog.NewTextHandler(log, nil))
	eu = open(t, ec)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: cl.urls}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	require.NoError(t, eu.Ready(background(t)))
	signIn(t, us, "u-1", "s-1")
	eventually(t, "a session", func() bool { return alive(t, eu, "s-1") })
	return us, eu, cl, log
}

// A record that may end access stops an older Region even if it can't be copied, as on a full disk.
func TestWhatMayEndAccessIsHeardWhereItCantBeCopied(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(time.Hour)
	for what, write := range map[string]func(us *replica.Node) error{
		"record": func(us *replica.Node) error { return replica.WriteKind(us, later, "x", "1", false) },
		"entry":  func(us *replica.Node) error { return replica.WriteEntry(us, "revoked", later, "x", until, false) },
		"sealed": func(us *replica.Node) error {
			replica.WriteWith(t, us, "id", replica.Entry("", nil, "u-1", "s-1", 0, until), "Meridian-Key", "1")
			return nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			us, eu, cl, _ := laterPrimary(t)
			cl.stop(0)
			require.NoError(t, write(us))
			eventually(t, "a stop", func() bool { return refusal(t, eu) == replica.ReasonVersion })
		})
	}
}

// A Region whose server is gone can't check what a peer shows of its log. It goes on hearing that
// peer.
func TestARegionHearsAPeerThatShowsWhatCantBeLookedAt(t *testing.T) {
	t.Parallel()
	us, eu, cl, _ := laterPrimary(t)
	cl.stop(0)
	replica.CopyMore(us, eu)
	require.NoError(t, replica.WriteKind(us, later, "x", "1", false))
	eventually(t, "a stop", func() bool { return refusal(t, eu) == replica.ReasonVersion })
}

// A Region whose server is lost before it has reached a new peer hears that peer nevertheless.
func TestARegionHearsAPeerThatItHasCopiedNothingFromSinceItsStart(t *testing.T) {
	t.Parallel()
	c := configOf(virginia, t.TempDir())
	replica.Know(&c, later)
	c.Listen = fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	us, cl := open(t, c), newCluster(t, frankfurt, 1)
	ec := cl.config(frankfurt)
	ec.Peers = map[string]replica.Peer{virginia: {URL: us.Addr()}}
	eu := open(t, ec)
	require.NoError(t, eu.Ready(background(t)))
	signIn(t, us, "u-1", "s-1")
	eventually(t, "a session", func() bool { return alive(t, eu, "s-1") })
	eu.Close()
	us.Close()

	eu = open(t, ec)
	cl.stop(0)
	us = open(t, c)
	eventually(t, "a probe that says that nothing is copied",
		func() bool { return eu.CopiesApplied(time.Now().Add(time.Minute)) != nil })
	require.NoError(t, replica.WriteKind(us, later, "x", "1", false))
	eventually(t, "a stop", func() bool { return refusal(t, eu) == replica.ReasonVersion })
}

// If a copy can't be created again, it is created when the server is back. Until then its Region is
// heard.
func TestARegionHearsAPeerWhoseCopyCantBeMadeAgain(t *testing.T) {
	t.Parallel()
	us, eu, cl, log := laterPrimary(t)
	cl.stop(0)
	replica.HalfMake(eu, virginia)
	// This can't be copied.
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	eventually(t, "an attempt to make the copy",
		func() bool { return log.count("a damaged copy is created again") > 0 })
	require.NoError(t, replica.WriteKind(us, later, "x", "1", false))
	eventually(t, "a stop", func() bool { return refusal(t, eu) == replica.ReasonVersion })
	require.True(t, replica.HalfMade(eu, virginia))

	cl.start(t, 0)
	eventually(t, "a copy", func() bool { return !replica.HalfMade(eu, virginia) })
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}

// No request of a copier to its own server delays hearing for longer than a write takes.
func TestACopierWaitsForItsServerForSeconds(t *testing.T) {
	t.Parallel()
	_, eu, cl, _ := laterPrimary(t)
	all := replica.Tidying(t, eu, virginia)
	cl.stop(0)
	ctx, cancel := context.WithTimeout(background(t), time.Minute)
	defer cancel()
	var tasks sync.WaitGroup
	for what, ask := range all {
		tasks.Go(func() { assert.ErrorIs(t, ask(ctx), replica.ErrNotCopied, what) })
	}
	tasks.Wait()
	assert.NoError(t, ctx.Err())
}
