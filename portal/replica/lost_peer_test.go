//go:build unix

package replica_test

import (
	"encoding/json"
	"fmt"
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

// A Region reports another one truly while that one is frozen, killed, and back: as unreachable,
// and with the age of what is known of it.
func TestPeersAreTrueWhenARegionIsFrozenOrKilled(t *testing.T) {
	t.Parallel()
	eu := open(t, configOf(frankfurt, t.TempDir()))
	j := job{Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0]),
		Peers: map[string]string{frankfurt: eu.Addr()}}
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: "nats://" + j.Listen}))
	us := start(t, j)
	require.NoError(t, eu.Ready(background(t)))
	peer := func() portal.Peer { return eu.Peers()[0] }
	becomes := func(want portal.PeerState) {
		t.Helper()
		eventually(t, string(want), func() bool { return peer().State == want })
	}
	becomes(portal.PeerReplicated)

	freeze(t, us.cmd)
	frozen := time.Now()
	becomes(portal.PeerUnreachable)
	assert.False(t, peer().Heard.After(frozen), "a frozen Region says nothing")
	thaw(t, us.cmd)
	eventually(t, "news", func() bool { return peer().State == portal.PeerReplicated && peer().Heard.After(frozen) })

	us.kill()
	killed := time.Now()
	becomes(portal.PeerUnreachable)
	assert.False(t, peer().Heard.After(killed))
	start(t, j)
	eventually(t, "news", func() bool { return peer().State == portal.PeerReplicated && peer().Heard.After(killed) })
}

// A Region that answers, and whose data doesn't arrive here, is not Replicated.
func TestPeerThatIsBehindIsNotReplicated(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(s.Shutdown)
	require.True(t, s.ReadyForConnections(hang))
	nc, err := nats.Connect(s.ClientURL())
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	var pending atomic.Bool // there is more, and none of it is in an answer
	publish, _ := replica.PeerPermissions(mumbai)
	_, err = nc.Subscribe(publish[0], func(m *nats.Msg) {
		q, a := map[string]any{}, map[string]any{"store": "mumbai's", "after": 0}
		if json.Unmarshal(m.Data, &q) != nil {
			return
		}
		a["nonce"], a["format"], a["reads"] = q["nonce"], q["format"], q["reads"]
		if pending.Load() {
			a["pending"], a["last"] = 1, 1
		}
		b, err := json.Marshal(a)
		if err == nil {
			time.AfterFunc(20*time.Millisecond, func() { _ = m.Respond(b) }) // a Region's own pace
		}
	})
	require.NoError(t, err)
	us := open(t, configOf(virginia, t.TempDir()))
	require.NoError(t, us.AddPeer(background(t), mumbai, replica.Peer{URL: s.ClientURL()}))
	becomes := func(want portal.PeerState) {
		t.Helper()
		eventually(t, string(want), func() bool { return us.Peers()[0].State == want })
	}
	becomes(portal.PeerReplicated)
	pending.Store(true)
	becomes(portal.PeerReplicating)
	pending.Store(false)
	becomes(portal.PeerReplicated)
}
