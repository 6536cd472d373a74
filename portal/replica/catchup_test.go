package replica_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
)

// A node that has not read a session yet, which another node of its Region
// acknowledged, knows it when it has caught up.
func TestNodeCatchesUpWithItsRegion(t *testing.T) {
	c := newCluster(t, virginia, 1)
	one := c.node(t, virginia)
	cfg, release, once := c.config(virginia), make(chan struct{}), sync.Once{}
	free := func() { once.Do(func() { close(release) }) }
	cfg.Codec = opens(func(key string) error {
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
	go func() { caught <- two.Sessions().(portal.CatchUp).CatchUp(background(t)) }()
	free()
	require.NoError(t, <-caught)
	assert.True(t, alive(t, two, "s-1"))
}
