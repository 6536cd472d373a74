package replica_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/replica"
)

// After CatchUp a Node knows a session that another Node of its Region acknowledged before.
func TestNodeCatchesUpWithItsRegion(t *testing.T) {
	c := newCluster(t, virginia, 1)
	one := c.node(t, virginia)
	cfg, release, once := c.config(virginia), make(chan struct{}), sync.Once{}
	free := func() { once.Do(func() { close(release) }) }
	replica.Opens(&cfg, func(key string, _ []byte) error {
		if strings.HasPrefix(key, "meridian.sessions.") {
			<-release
		}
		return nil
	})
	two := open(t, cfg)
	t.Cleanup(free)
	signIn(t, one, "u-1", "s-1")
	require.False(t, alive(t, two, "s-1"))
	caught := make(chan error)
	go func() { caught <- two.Sessions().(sessions.CatchUp).CatchUp(background(t)) }()
	free()
	require.NoError(t, <-caught)
	assert.True(t, alive(t, two, "s-1"))
}

// Clients that aren't signed in can make a Node catch up, and each time is a write that reaches
// every Region. So there are ten a second at most, and if the servers don't answer all waiting
// callers fail together.
func TestInvariant17_CatchingUpIsBounded(t *testing.T) {
	c := newCluster(t, virginia, 1)
	n := c.node(t, virginia)
	s, err := c.streams(t).Stream(background(t), "sessions_"+virginia)
	require.NoError(t, err)
	written := func() uint64 {
		info, err := s.Info(background(t))
		require.NoError(t, err)
		return info.State.LastSeq
	}
	catchUp := n.Sessions().(sessions.CatchUp).CatchUp
	before, began := written(), time.Now()
	for range 10 {
		require.NoError(t, catchUp(background(t)))
	}
	assert.LessOrEqual(t, written()-before, 1+uint64(time.Since(began)/(100*time.Millisecond)))

	c.stop(0)
	began = time.Now()
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() { assert.Error(t, catchUp(background(t))) })
	}
	all.Wait()
	assert.Less(t, time.Since(began), time.Minute, "one after the other they would take more than two minutes")
}
