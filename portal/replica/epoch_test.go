package replica_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A revocation is only in one Node's memory, as it could not be written. A sign-in that begins
// after it has its count, so that count is made durable first. Another Node of the Region, whose
// clock is behind and which has not read a session of that sign-in, then counts higher.
func TestNoSessionCarriesACountThatIsNotDurable(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	var failing atomic.Bool
	cfg := c.config(virginia)
	replica.Seals(&cfg, func(key string, _ []byte) error {
		if failing.Load() && strings.HasPrefix(key, "meridian.revoked.") {
			return errors.New("no key")
		}
		return nil
	})
	one := open(t, cfg)
	free := make(chan struct{})
	slow := c.config(virginia)
	slow.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	slow.MaxSession = 24 * time.Hour
	var waits atomic.Bool
	replica.Opens(&slow, func(key string, _ []byte) error {
		if waits.Load() && strings.HasPrefix(key, "meridian.sessions.") {
			<-free
		}
		return nil
	})
	two := open(t, slow)
	release := sync.OnceFunc(func() { close(free) })
	t.Cleanup(release) // before Close, which waits for the reader
	waits.Store(true)

	failing.Store(true)
	signIn(t, one, "u-1", "before")
	require.Error(t, one.Sessions().RevokeUser(background(t), "u-1"))
	assert.False(t, alive(t, one, "before"))
	_, err := one.Sessions().Epoch(background(t), "u-1")
	assert.Equal(t, replica.ReasonKey, reasonOf(err))
	signIn(t, one, "u-2", "another") // which nothing keeps out
	read := replica.Count(one, "u-1")
	require.Error(t, one.Sessions().RevokeUser(background(t), "u-1"))
	assert.Equal(t, replica.ReasonKey, reasonOf(replica.MakeDurable(background(t), one, "u-1", read)),
		"another revocation came since Epoch read the count")

	failing.Store(false)
	epoch, err := one.Sessions().Epoch(background(t), "u-1")
	require.NoError(t, err)
	require.NoError(t, one.Sessions().Create(background(t), "key-after", at(one, session("u-1", "after", epoch))))
	require.NoError(t, two.Sessions().RevokeUser(background(t), "u-1"))
	// The session is of a sign-in that the revocation ended.
	require.NoError(t, one.Sessions().Create(background(t), "key-slow", at(one, session("u-1", "slow", epoch))))
	release()
	for _, n := range []*replica.Node{one, two} {
		eventually(t, "the revocation", func() bool { return !alive(t, n, "after") && !alive(t, n, "slow") })
	}
	signIn(t, one, "u-1", "later")
	assert.True(t, alive(t, one, "later"))
}
