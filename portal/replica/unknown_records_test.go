package replica_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// later is a kind that a later version writes.
const later = "later"

// laterPair opens the primary as a later version that knows more kinds, and an
// additional Region of this one, whose log is returned.
func laterPair(t *testing.T) (us, eu *replica.Node, euConfig replica.Config, log *logged) {
	t.Helper()
	c := configOf(virginia, t.TempDir())
	replica.Know(&c, later)
	us = open(t, c)
	log = &logged{}
	c = configOf(frankfurt, t.TempDir())
	c.Logger = slog.New(slog.NewTextHandler(log, nil))
	eu = open(t, c)
	mesh(t, us, eu)
	signIn(t, us, "u-1", "s-1")
	eventually(t, "a session", func() bool { return alive(t, eu, "s-1") })
	return us, eu, c, log
}

func disabled(id string) replica.Change {
	return replica.Change{Kind: center.KindUser, Key: id,
		Value: `{"id":"` + id + `","userName":"` + id + `@example.com","active":false}`}
}

// refusal is the Reason for which a Region shows no session, or "".
func refusal(t *testing.T, n *replica.Node) replica.Reason {
	t.Helper()
	_, err := n.Sessions().Get(background(t), "key-s-1")
	var e *replica.Error
	if err == nil {
		return ""
	}
	require.ErrorAs(t, err, &e)
	return e.Reason
}

// D6: a record that an older version may skip doesn't affect others: the rest of its transaction
// takes effect, after a restart too.
func TestARecordThatMayBeSkippedTakesNothingWithIt(t *testing.T) {
	t.Parallel()
	us, eu, c, _ := laterPair(t)
	require.NoError(t, replica.WriteKind(us, later, "x", `{"a":1}`, true, disabled("u-2")))
	gone := func(n *replica.Node) bool { u, ok := n.View().UserByID("u-2"); return ok && u.Inactive }
	eventually(t, "the rest of it", func() bool { return gone(eu) })
	assert.Empty(t, refusal(t, eu))
	eu.Close()
	eu = open(t, c)
	assert.True(t, gone(eu))
	assert.Contains(t, eu.Digest().Items, "log us-east-1 later x")
	assert.Empty(t, refusal(t, eu))
}

// An older Region doesn't serve while there is a record that may end access. It logs once which
// version it needs, and the rest of the transaction takes effect. It serves again when a full
// transaction lacks the record.
func TestARecordThatMayEndAccessStopsOlderRegions(t *testing.T) {
	t.Parallel()
	us, eu, c, log := laterPair(t)
	require.NoError(t, eu.Sessions().Create(background(t), "key-own", at(eu, session("u-1", "own", nil))))
	require.NoError(t, replica.WriteKind(us, later, "x", `1`, false, disabled("u-2")))
	stopped := func() {
		t.Helper()
		eventually(t, "a stop", func() bool { return refusal(t, eu) == replica.ReasonVersion })
		var e *replica.Error
		require.ErrorAs(t, eu.Sessions().Create(background(t), "key-new", at(eu, session("u-1", "new", nil))), &e)
		assert.Equal(t, replica.ReasonVersion, e.Reason)
		assert.Contains(t, e.Error(), later)
		require.ErrorAs(t, eu.Probe(background(t)), &e, "so its portal is not healthy")
		assert.Equal(t, replica.ReasonVersion, e.Reason)
		require.ErrorAs(t, eu.Codes().PutCode(background(t), "code", nil, time.Now().Add(time.Minute)), &e)
		assert.Equal(t, replica.ReasonVersion, e.Reason)
		_, _, err := eu.Codes().TakeCode(background(t), "code")
		require.ErrorAs(t, err, &e)
		assert.Equal(t, replica.ReasonVersion, e.Reason)
		app := center.Application{ID: "a", Name: "a", URL: "https://a.example", Region: frankfurt}
		require.ErrorAs(t, eu.View().Update(func(tx *center.Tx) error { return tx.PutApplication(app) }), &e)
		assert.Equal(t, replica.ReasonVersion, e.Reason)
		require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-2"), "what ends access is written")
	}
	stopped()
	eventually(t, "the rest of it", func() bool { u, ok := eu.View().UserByID("u-2"); return ok && u.Inactive })
	eventually(t, "what is said of it", func() bool { return log.count("does not serve") == 1 })
	assert.Empty(t, refusal(t, us), "the version that knows it")
	eu.Close()
	eu = open(t, c)
	stopped()

	follow(t, us, eu)
	require.NoError(t, replica.WriteFull(us, later))
	require.NoError(t, eu.Ready(background(t)))
	assert.Empty(t, refusal(t, eu))
	assert.True(t, alive(t, eu, "own"))
	assert.Equal(t, 2, log.count("does not serve"), "once a start")
}

// follow makes two Nodes follow each other, and waits for nothing.
func follow(t *testing.T, a, b *replica.Node) {
	t.Helper()
	require.NoError(t, a.AddPeer(background(t), b.Region(), replica.Peer{URL: b.Addr()}))
	require.NoError(t, b.AddPeer(background(t), a.Region(), replica.Peer{URL: a.Addr()}))
}

// The same holds for entries, in both streams, and for messages that are sealed
// or written as only a later version reads.
func TestEntriesThatMayEndAccessStopOlderRegions(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"sessions", "revoked"} {
		us, eu, _, log := laterPair(t)
		until := time.Now().Add(time.Hour)
		require.NoError(t, replica.WriteEntry(us, stream, later, "harmless", until, true))
		signIn(t, us, "u-1", "after")
		eventually(t, "the later session", func() bool { return alive(t, eu, "after") })
		require.NoError(t, replica.WriteEntry(us, stream, later, "x", until, false))
		eventually(t, "a stop", func() bool { return refusal(t, eu) == replica.ReasonVersion })
		eventually(t, "what is said of it", func() bool { return log.count("does not serve") == 1 })
		assert.Empty(t, refusal(t, us))
		app := center.Application{ID: "a", Name: "a", URL: "https://a.example", Region: frankfurt}
		require.NoError(t, eu.View().Update(func(tx *center.Tx) error { return tx.PutApplication(app) }),
			"configuration doesn't depend on it")
	}
	for header, value := range map[string]string{"Meridian-Key": "1", "Meridian-Bound": "x", "Meridian-Format": "2"} {
		us, eu, _, log := laterPair(t)
		replica.WriteWith(t, us, "id", replica.Entry("", nil, "u-1", "s-1", 0, time.Now().Add(time.Hour)), header, value)
		eventually(t, "a stop", func() bool { return refusal(t, eu) == replica.ReasonVersion })
		eventually(t, "what is said of it", func() bool { return log.count("does not serve") == 1 })
		assert.Zero(t, log.count("Corrupt"), header)
	}
}

// A primary that is rolled back to an older version opens where that may skip
// what the later one wrote, keeps it, and passes it on; else it refuses to open,
// says what it must know, and harms nothing.
func TestAPrimaryIsRolledBack(t *testing.T) {
	t.Parallel()
	c := configOf(virginia, t.TempDir())
	newer := c
	replica.Know(&newer, later)
	us := open(t, newer)
	require.NoError(t, replica.WriteKind(us, later, "x", `{"a":1}`, true, disabled("u-2")))
	us.Close()
	us = open(t, c)
	u, _ := us.View().UserByID("u-2")
	assert.True(t, u.Inactive)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	replica.Full(t, us)
	us.Close()

	us = open(t, newer)
	assert.Contains(t, us.Digest().Items, "log us-east-1 later x", "through a full transaction of the older version")
	require.NoError(t, replica.WriteKind(us, later, "y", `1`, false))
	us.Close()
	for range 2 {
		_, err := replica.Open(background(t), c)
		var e *replica.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, replica.ReasonVersion, e.Reason)
		assert.Contains(t, e.Error(), later)
	}
	restored := c
	restored.Restored = true
	_, err := replica.Open(background(t), restored)
	require.Error(t, err, "it would be written over")
	us = open(t, newer)
	assert.Contains(t, us.Digest().Items, "log us-east-1 later y")
	_, ok := us.View().UserByID("u-3")
	assert.True(t, ok)
}

// This version knows all that it writes, and a probe, which ends nothing, stops
// no version from before there were probes.
func TestKindsThatAreWritten(t *testing.T) {
	assert.Empty(t, replica.Unknown())
	us := open(t, configOf(virginia, t.TempDir()))
	require.NoError(t, us.Probe(background(t)))
	assert.Contains(t, replica.LastBody(t, us, "sessions"), `"optional":true`)
}

// A Region that writes records that no other reads stops the others until the primary removes it.
// The sessions that it may have ended are over then.
func TestARegionThatIsInTheWayIsRemoved(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	signIn(t, us, "u-1", "s-1")
	replica.WriteWith(t, eu, "id", replica.Entry("", nil, "u-1", "s-1", 0, time.Time{}), "Meridian-Format", "99")
	eventually(t, "a stop", func() bool { return refusal(t, us) == replica.ReasonVersion })
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveRegion(frankfurt) }))
	require.NoError(t, us.Ready(background(t)))
	assert.False(t, alive(t, us, "s-1"), "it may have been ended")
	signIn(t, us, "u-1", "s-2")
	assert.True(t, alive(t, us, "s-2"))
}

// A later version wrote a field of a permission set that this one doesn't know. It outlives an update of the same
// permission set here, and the Regions agree.
func TestAFieldOfALaterVersionOutlivesAnUpdate(t *testing.T) {
	t.Parallel()
	us, eu := open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	set := center.PermissionSet{Name: "Later", SessionDuration: time.Hour, RelayState: "https://a.example"}
	put := func() {
		require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.PutPermissionSet(set) }))
	}
	put()
	const item = "log us-east-1 details permissionSet Later"
	require.Contains(t, us.Digest().Items, item)
	require.NoError(t, replica.WriteKind(us, "details", "permissionSet Later", `{"relayState":"https://b.example","later":1}`,
		true))
	relay := func(n *replica.Node) string {
		for _, p := range n.View().Snapshot().Data().PermissionSets {
			if p.Name == set.Name {
				return p.RelayState
			}
		}
		return ""
	}
	eventually(t, "the field", func() bool { return relay(us) == "https://b.example" })
	set.RelayState = "https://c.example"
	put()
	eventually(t, "the update", func() bool { return relay(eu) == "https://c.example" })
	assert.Contains(t, replica.Written(us, center.KindDetails, "permissionSet Later"), `"later":1`)
	assert.Contains(t, replica.Written(eu, center.KindDetails, "permissionSet Later"), `"later":1`)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}
