package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// After a full transaction, a copy holds nothing from before it, even if the process was killed at
// that moment.
func TestACopyThatWasNotCleared(t *testing.T) {
	t.Parallel()
	cfg := configOf(virginia, t.TempDir())
	us := open(t, cfg)
	replica.CopyAndDie(t, us, mumbai)
	us.Close()
	us = open(t, cfg)
	assert.Equal(t, []string{"tx.10.0", "tx.10.1"}, replica.GoOn(t, us, mumbai))
	assert.Equal(t, []string{"tx.10.0", "tx.10.1"}, replica.GoOn(t, us, mumbai))
}

// A Region that was off while users were removed, and reads of that only in a full transaction,
// also erases their sessions from its files, once, even if it was restarted before that.
func TestARegionThatWasOffErasesSessions(t *testing.T) {
	t.Parallel()
	began, life := time.Now(), 2*time.Second
	for !erasesSessionsAfterItWasOff(t, life) {
		began, life = time.Now(), 2*max(life, time.Since(began))
	}
}

// erasesSessionsAfterItWasOff checks that with a session of this life. It returns
// false if the session was over before it was looked for.
func erasesSessionsAfterItWasOff(t *testing.T, life time.Duration) bool {
	t.Helper()
	dirs := map[string]string{virginia: t.TempDir(), frankfurt: t.TempDir()}
	start := func(region string, after time.Duration) *replica.Node {
		c := configOf(region, dirs[region])
		c.MaxSession, c.Skew, c.EraseAfter = life, time.Second, after
		return open(t, c)
	}
	us, eu := start(virginia, 50*time.Millisecond), start(frankfurt, time.Hour)
	mesh(t, us, eu)
	s := at(eu, session("u-2", "s", nil))
	s.UserName, s.Expires = "bob@example.com", time.Now().Add(life)
	require.NoError(t, eu.Sessions().Create(background(t), "key", s))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	eu.Close()
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	eventually(t, "nothing but a full transaction", func() bool { return replica.Held(t, us)["KV_config_"+virginia] == 1 })

	eu = start(frankfurt, time.Hour)
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	eventually(t, "the removal", func() bool { return replica.Pads(eu) })
	there := found(t, dirs[frankfurt], "bob@example.com")
	eu.Close()
	if time.Now().After(s.Expires) {
		us.Close()
		return false
	}
	require.NotEmpty(t, there)
	eu = start(frankfurt, 50*time.Millisecond)
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	eventually(t, "no trace", func() bool {
		left := found(t, dirs[frankfurt], "bob@example.com")
		if len(left) > 0 {
			time.Sleep(50 * time.Millisecond) // it reads all files
		}
		return len(left) == 0
	})
	eventually(t, "all padding", func() bool { return !replica.Pads(eu) })
	eu.Close()
	assert.False(t, replica.Pads(start(frankfurt, time.Hour)), "that was done")
	return true
}
