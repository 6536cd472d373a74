package replica_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A clock that was ahead is corrected, or a correct one goes back. What expired from the
// streams meanwhile is not missed at the next start.
func TestAClockThatWentBackIsNoDamage(t *testing.T) {
	t.Parallel()
	for _, back := range []time.Duration{10 * time.Minute, 15 * time.Minute, 25 * time.Minute} {
		c := configOf(virginia, t.TempDir())
		c.Skew = time.Second
		late := c
		late.Now = func() time.Time { return time.Now().Add(back) }
		us := open(t, late)
		signIn(t, us, "u-1", "stays")
		s := at(us, session("u-1", "goes", nil))
		s.Expires = late.Now().Add(time.Second)
		require.NoError(t, us.Sessions().Create(background(t), "key-goes", s))
		us.Close() // the marks know of both, unless it took so long that one is gone
		us = open(t, late)
		eventually(t, "the session to be let go", func() bool { return replica.Held(t, us)["sessions_us-east-1"] == 1 })
		us.Close()

		us = open(t, c)
		require.NoError(t, us.Ready(background(t)), "%v", back)
		assert.True(t, alive(t, us, "stays"))
		us.Close()
		open(t, c).Close()
	}
}

// Messages that other Regions still have, whose clocks were right, are not missed either.
func TestAClockThatWasAheadIsNoDamageToOthers(t *testing.T) {
	t.Parallel()
	c := configOf(virginia, t.TempDir())
	c.Skew = time.Second
	late := c
	late.Now = func() time.Time { return time.Now().Add(30 * time.Minute) }
	us := open(t, late)
	other := configOf(frankfurt, t.TempDir())
	other.Skew = time.Second
	eu := open(t, other)
	mesh(t, us, eu)
	eventually(t, "a copy of a session, before that is let go", func() bool {
		if replica.Held(t, us)["sessions_us-east-1"] == 0 {
			s := at(us, session("u-1", "goes", nil))
			s.Expires = late.Now().Add(time.Second)
			require.NoError(t, us.Sessions().Create(background(t), "key-goes", s))
		}
		return replica.Held(t, eu)["sessions_us-east-1"] > 0
	})
	eventually(t, "the session to be let go", func() bool { return replica.Held(t, us)["sessions_us-east-1"] == 0 })
	us.Close()

	var log logged
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	us = open(t, c)
	mesh(t, us, eu)
	since := time.Now()
	eventually(t, "to be heard", func() bool {
		return eu.Peers()[0].Heard.After(since) && peerState(eu, virginia) == portal.PeerReplicated
	})
	require.NoError(t, us.Ready(background(t)))
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "any", time.Time{}))
	assert.Zero(t, log.count("level=ERROR"))
}
