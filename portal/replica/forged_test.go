package replica_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// K15, forged removals: by another Region, and by a primary that was restored to a state from
// before the Region was added again. The first has no effect; the second closes the Region. Neither
// erases.
func TestForgedRemovalsEraseNothing(t *testing.T) {
	t.Parallel()
	usDir, euDir, backup := t.TempDir(), t.TempDir(), t.TempDir()
	us := open(t, configOf(virginia, usDir))
	remove(t, us, frankfurt)
	us.Close()
	require.NoError(t, os.CopyFS(backup, os.DirFS(usDir)))
	us = open(t, configOf(virginia, usDir))
	add(t, us, frankfurt)
	eu := open(t, configOf(frankfurt, euDir))
	mesh(t, us, eu)
	signIn(t, eu, "u-1", "s-1")

	// A server in the place of another Region, and a client with Secret.
	s, err := server.NewServer(&server.Options{ServerName: "forger", Port: server.RANDOM_PORT, Host: "127.0.0.1",
		NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(hang))
	forger, err := nats.Connect(s.ClientURL(), nats.Timeout(hang))
	require.NoError(t, err)
	t.Cleanup(forger.Close)
	var forged atomic.Int64
	_, err = forger.Subscribe("meridian.follow.>", func(m *nats.Msg) {
		var q struct{ Nonce string }
		if json.Unmarshal(m.Data, &q) == nil {
			_ = m.Respond(fmt.Appendf(nil, `{"nonce":%q,"error":"removed","unlisted":true,"removed":%d}`, q.Nonce,
				time.Now().Add(time.Hour).UnixMicro()))
			forged.Add(1)
		}
	})
	require.NoError(t, err)
	require.NoError(t, forger.Flush())
	require.NoError(t, eu.AddPeer(background(t), mumbai, replica.Peer{URL: s.ClientURL()}))
	for _, n := range []*replica.Node{us, eu} {
		nc, _ := asPeer(t, n)
		for _, subject := range []string{"_PEER.x", "$KV.config_us-east-1.tx.99.0", "meridian.removed.eu-central-1",
			"meridian.follow.eu-central-1"} {
			require.NoError(t, nc.Publish(subject, fmt.Appendf(nil, `{"nonce":"","unlisted":true,"removed":%d}`,
				time.Now().Add(time.Hour).UnixMicro())))
		}
		require.NoError(t, nc.Flush())
	}
	eventually(t, "several lies", func() bool { return forged.Load() > 3 })
	since := time.Now()
	eventually(t, "word of the primary", func() bool {
		for _, p := range eu.Peers() {
			if p.Region == virginia {
				return p.Heard.After(since)
			}
		}
		return false
	})
	assert.True(t, alive(t, eu, "s-1"), "it goes on")
	require.NoError(t, eu.Ready(background(t)))
	eu.RemovePeer(mumbai)

	// The primary of before.
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()
	held := replica.Held(t, eu)
	c := afterStarts(t, configOf(virginia, backup), eu)
	c.Restored = true
	old := open(t, c)
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: old.Addr()}))
	eventually(t, "closed", func() bool {
		_, err := eu.Sessions().Get(background(t), "key-s-1")
		return refusedWith(err, replica.ReasonNotListed)
	})
	soon, cancel := context.WithTimeout(background(t), time.Millisecond)
	defer cancel()
	assert.True(t, refusedWith(eu.Ready(soon), replica.ReasonNotListed))
	err = eu.View().Update(func(tx *center.Tx) error {
		return tx.PutApplication(center.Application{ID: "a", Name: "a", URL: "https://a.example", Region: frankfurt})
	})
	assert.True(t, refusedWith(err, replica.ReasonNotListed), "%v", err)
	assert.Equal(t, held, replica.Held(t, eu), "nothing is erased")
	add(t, old, frankfurt)
	eventually(t, "open again", func() bool {
		_, err := eu.Sessions().Get(background(t), "key-s-1")
		return err == nil
	})
}
