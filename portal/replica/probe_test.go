package replica_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Any number of probes leaves one message, which has no effect in any Region.
func TestProbesLeaveNothing(t *testing.T) {
	t.Parallel()
	us, eu, _ := three(t)
	signIn(t, us, "u-1", "s")
	require.NoError(t, us.Probe(background(t)))
	kept := func() uint64 { return replica.Held(t, us)["sessions_"+virginia] }
	before := kept()
	for range 10 {
		require.NoError(t, us.Sessions().(sessions.Prober).Probe(background(t)))
	}
	assert.Equal(t, before, kept())
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	assert.Len(t, us.Digest().Items, len(eu.Digest().Items))
}

// A copy that isn't read is this Region's own fault; a Region that is out of reach is not.
func TestProbeOfCopiesThatAreNotApplied(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	var once sync.Once
	stuck, free := make(chan struct{}), make(chan struct{})
	cfg := configOf(mumbai, t.TempDir())
	replica.Opens(&cfg, func(key string, _ []byte) error {
		if strings.HasPrefix(key, "meridian.sessions."+frankfurt) {
			once.Do(func() { close(stuck) })
			<-free
		}
		return nil
	})
	ap := open(t, cfg)
	mesh(t, us, eu, ap)
	later := func() time.Time { return time.Now().Add(time.Hour) }
	eventually(t, "all applied", func() bool { return ap.CopiesApplied(later()) == nil })

	signIn(t, eu, "u-1", "s")
	<-stuck
	eventually(t, "a copy that is late", func() bool { return ap.CopiesApplied(later()) != nil })
	assert.ErrorContains(t, ap.CopiesApplied(later()), "sessions_"+frankfurt)
	assert.NoError(t, ap.CopiesApplied(time.Now()), "it has some time")
	close(free)
	eventually(t, "the copy", func() bool { return alive(t, ap, "s") && ap.CopiesApplied(later()) == nil })

	eu.Close()
	eventually(t, "a peer that is gone", func() bool {
		return ap.Peers()[0].State == portal.PeerUnreachable && ap.CopiesApplied(later()) == nil
	})
}

// An answer that was not copied, of a Region that is gone since, is no fault once this Region's
// server is back.
func TestProbeWhereAPeerIsGoneBeforeItWasCopied(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	c := newCluster(t, frankfurt, 1)
	eu := c.node(t, frankfurt)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: c.urls}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	require.NoError(t, eu.Ready(background(t)))
	later := func() time.Time { return time.Now().Add(time.Hour) }

	c.stop(0)
	signIn(t, us, "u-1", "s")
	eventually(t, "a copy that is late", func() bool { return eu.CopiesApplied(later()) != nil })
	us.Close()
	c.start(t, 0)
	eventually(t, "a peer that is gone", func() bool { return eu.CopiesApplied(later()) == nil })
	require.NoError(t, eu.Probe(background(t)))
}

// Each Region knows how far the others' clocks are from its own.
func TestPeersTellTheTime(t *testing.T) {
	us := open(t, configOf(virginia, t.TempDir()))
	cfg := configOf(frankfurt, t.TempDir())
	cfg.Now = func() time.Time { return time.Now().Add(-10 * time.Minute) }
	var log logged
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	eu := open(t, cfg)
	mesh(t, us, eu)
	check := func(n *replica.Node, want time.Duration) {
		t.Helper()
		eventually(t, "the time there", func() bool { return n.Peers()[0].ClockKnown })
		assert.InDelta(t, want, n.Peers()[0].ClockAhead, float64(maxTrip/2))
	}
	check(us, -10*time.Minute)
	check(eu, 10*time.Minute)
	assert.Equal(t, 1, log.count("differ by more than Config.Skew"), "said once")
}

// maxTrip is how long an answer may take that tells the time.
const maxTrip = 10 * time.Second
