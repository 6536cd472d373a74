package replica_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A Region creates sessions of its own. It can't create, change, or keep alive sessions of another
// Region. Such messages are skipped, and the rest takes effect.
func TestARegionSpeaksForItself(t *testing.T) {
	t.Parallel()
	us, eu, ap := three(t)
	signIn(t, us, "u-1", "s-1")
	before, err := us.Sessions().Get(background(t), "key-s-1")
	require.NoError(t, err)

	var e *replica.Error
	require.ErrorAs(t, eu.Sessions().Create(background(t), "key-forged", at(us, session("u-2", "forged", nil))), &e)
	assert.Equal(t, replica.ReasonConfig, e.Reason)
	forged := at(us, session("u-2", "forged", nil))
	replica.Say(t, eu, "sessions", "session", replica.Entry("key-forged", &forged, "", "", 0, time.Time{}))
	hijack := session("u-2", "hijack", nil)
	hijack.Created = time.Now().Add(time.Minute)
	over := at(us, hijack)
	replica.Say(t, eu, "sessions", "session", replica.Entry("key-s-1", &over, "", "", 0, time.Time{}))
	require.NoError(t, ap.Sessions().Create(background(t), "key-s-1", at(ap, hijack)), "a key of its own")
	replica.Say(t, eu, "sessions", "seen", replica.Seen("key-s-1", time.Now().Add(time.Minute)))
	require.ErrorIs(t, eu.Sessions().Touch(background(t), "key-s-1", time.Now().Add(time.Minute)), sessions.ErrNoSession)
	signIn(t, us, "u-2", "after-all")
	signIn(t, eu, "u-2", "after")
	signIn(t, ap, "u-2", "after-too")
	for _, n := range []*replica.Node{us, eu, ap} {
		eventually(t, "the later write",
			func() bool { return alive(t, n, "after-all") && alive(t, n, "after") && alive(t, n, "after-too") })
	}

	for _, n := range []*replica.Node{us, eu, ap} {
		list, err := n.Sessions().List(background(t), "u-1")
		require.NoError(t, err)
		require.Len(t, list, 1, n.Region())
		assert.Equal(t, virginia, list[0].Region)
		assert.Equal(t, "s-1", list[0].ID)
	}
	after, err := us.Sessions().Get(background(t), "key-s-1")
	require.NoError(t, err)
	assert.Equal(t, before.UserID, after.UserID)
	assert.Equal(t, before.Seen, after.Seen)
	assert.False(t, alive(t, us, "forged"))
}

// In whatever order sessions under one key arrive, each Region has its own.
func TestKeysThatTwoRegionsUse(t *testing.T) {
	one, two := replica.NewState(virginia), replica.NewState(virginia)
	say := func(s *replica.State, region string) error {
		v := sessions.Session{ID: region, UserID: "u-" + region, Region: region, Created: base, Expires: base.Add(time.Hour)}
		return s.Message(region, "sessions", "session", replica.Entry("k", &v, "", "", 0, time.Time{}))
	}
	regions := []string{virginia, frankfurt, mumbai}
	for i := range regions {
		require.NoError(t, say(one, regions[i]))
		require.NoError(t, say(two, regions[2-i]))
	}
	assert.Equal(t, one.Digest(), two.Digest())
	assert.Len(t, one.Digest(), 3)
	v := sessions.Session{ID: "x", Region: virginia}
	var e *replica.Error
	require.ErrorAs(t, one.Message(frankfurt, "sessions", "session", replica.Entry("k", &v, "", "", 0, time.Time{})), &e)
	assert.Equal(t, replica.ReasonCorrupt, e.Reason)
	assert.Equal(t, two.Digest(), one.Digest())
}

// No session outlives what ended it.
func TestSessionsEndBeforeWhatEndedThem(t *testing.T) {
	t.Parallel()
	c := configOf(virginia, t.TempDir())
	c.MaxSession, c.Skew = 2*time.Hour, time.Minute
	n := open(t, c)
	for life, ok := range map[time.Duration]bool{time.Hour: true, 2 * time.Hour: true,
		2*time.Hour + 2*time.Minute: false, 24 * time.Hour: false} {
		s := session("u-1", fmt.Sprint(life), nil)
		s.Expires = time.Now().Add(life)
		err := n.Sessions().Create(background(t), "key-"+s.ID, s)
		if ok {
			require.NoError(t, err, "%v", life)
			continue
		}
		var e *replica.Error
		require.ErrorAs(t, err, &e, "%v", life)
		assert.Equal(t, replica.ReasonConfig, e.Reason)
		assert.False(t, alive(t, n, s.ID))
	}
	for _, until := range []time.Time{{}, time.Now(), time.Now().Add(time.Hour)} {
		id := until.Format(time.RFC3339)
		least := time.Now().Add(c.MaxSession + c.Skew)
		require.NoError(t, n.Sessions().EndSignIn(background(t), "u-1", id, until))
		assert.True(t, n.Digest().Items[fmt.Sprintf("signed out %q %q", "u-1", id)].Until.After(least), id)
	}

	s := replica.NewState(virginia)
	long := sessions.Session{ID: "1", SignIn: "s", UserID: "u", Region: virginia, Created: base,
		Expires: base.Add(24 * time.Hour)}
	require.NoError(t, s.Message(virginia, "sessions", "session", replica.Entry("k", &long, "", "", 0, time.Time{})))
	require.NoError(t,
		s.Message(frankfurt, "revoked", "signin", replica.Entry("", nil, "u", "s", 0, base.Add(9*time.Hour))))
	s.Sweep(base.Add(9*time.Hour), 5*time.Minute)
	assert.Len(t, s.Digest(), 2, "both are remembered")
	s.Sweep(base.Add(9*time.Hour+6*time.Minute), 5*time.Minute)
	assert.Empty(t, s.Digest(), "both are forgotten")
}
