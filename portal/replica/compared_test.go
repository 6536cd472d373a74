package replica_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// between relays questions to a Region and its answers, which change may change. It returns its
// address.
func between(t *testing.T, n *replica.Node, change func(question, answer map[string]any)) string {
	t.Helper()
	up, _ := asPeer(t, n)
	s, err := server.NewServer(&server.Options{ServerName: "between", Port: server.RANDOM_PORT, Host: "127.0.0.1",
		NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(hang))
	down, err := nats.Connect(s.ClientURL(), nats.Timeout(hang))
	require.NoError(t, err)
	t.Cleanup(down.Close)
	relay := func(m *nats.Msg) {
		var q, a map[string]any
		got, err := up.Request(m.Subject, m.Data, hang)
		if err != nil || json.Unmarshal(m.Data, &q) != nil || json.Unmarshal(got.Data, &a) != nil {
			return
		}
		change(q, a)
		if b, err := json.Marshal(a); err == nil {
			_ = m.Respond(b)
		}
	}
	_, err = down.Subscribe("meridian.follow."+n.Region(), func(m *nats.Msg) { go relay(m) })
	require.NoError(t, err)
	require.NoError(t, down.Flush())
	return s.ClientURL()
}

// A copy that differs does not count as complete until a later answer states its digest. An owner
// that writes all the time does not state a digest in each answer.
func TestACopyThatDiffersIsNotReplicatedUntilItIsCompared(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	eu := open(t, configOf(frankfurt, w.euDir))
	replica.DropMessage(t, eu, "revoked_us-east-1")
	eu.Close()
	require.NoError(t, os.Remove(filepath.Join(w.euDir, "meridian.copies"))) // which would show it
	us, eu := open(t, configOf(virginia, w.usDir)), open(t, configOf(frankfurt, w.euDir))
	var asked atomic.Int64
	var silent, other atomic.Bool
	url := between(t, us, func(q, a map[string]any) {
		if q["line"] != "revoked" || a["digest"] == nil {
			return
		}
		switch {
		case other.Load(): // of what has been written meanwhile
			a["digest"].(map[string]any)["position"] = 1_000_000
		case silent.Load():
			delete(a, "digest")
		default:
			return
		}
		asked.Add(1)
	})
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: url}))
	eventually(t, "the difference", func() bool { return peerState(eu, virginia) == portal.PeerDamaged })
	for _, how := range []*atomic.Bool{&silent, &other} {
		how.Store(true)
		from := asked.Load()
		eventually(t, "such answers", func() bool { return asked.Load() >= from+4 })
		assert.NotEqual(t, portal.PeerReplicated, peerState(eu, virginia))
		assert.Zero(t, eu.Peers()[0].Heard)
		eventually(t, "what was heard to be applied all the same",
			func() bool { return eu.CopiesApplied(time.Now().Add(time.Hour)) == nil })
	}
}
