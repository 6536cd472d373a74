package replica_test

import (
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A watch is a dialer that records the stacks of its callers.
type watch struct {
	mu     sync.Mutex
	stacks []string
}

func (w *watch) Dial(network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.stacks = append(w.stacks, string(debug.Stack()))
	w.mu.Unlock()
	return net.DialTimeout(network, address, time.Second)
}

func (w *watch) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.stacks...)
}

// Rule 73: reads never cross Regions, nor do sign-ins or revocations. Every
// connection to another Region is the follower's, which runs by itself.
func TestRule73NoRequestLeavesItsRegion(t *testing.T) {
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	w := &watch{}
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t,
		eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr(), Options: []nats.Option{nats.SetCustomDialer(w)}}))
	require.NoError(t, eu.Ready(background(t)))
	require.NotEmpty(t, w.seen(), "a connection, made before any request")

	const each = 50
	requests := func(round string) {
		for i := range each {
			id := fmt.Sprint(round, i)
			signIn(t, eu, "u-1", id)
			assert.True(t, alive(t, eu, id))
			require.NoError(t, eu.Sessions().Touch(background(t), "key-"+id, time.Now().Add(time.Hour)))
			assert.Len(t, eu.View().Accounts("u-1"), 1)
			require.NoError(t, eu.Sessions().Revoke(background(t), "u-1", id))
			require.NoError(t, eu.Codes().PutCode(background(t), id, nil, time.Now().Add(time.Minute)))
			_, _, err := eu.Codes().TakeCode(background(t), id)
			require.NoError(t, err)
			assert.Len(t, eu.Peers(), 1)
		}
		require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-1"))
	}
	requests("linked-")
	// One connection, or a few: it breaks if the machine stalls for long.
	linked := len(w.seen())
	assert.Less(t, linked, each/5, "no request dialed")
	us.Close()
	requests("alone-")
	eventually(t, "attempts to reach the dead peer", func() bool { return len(w.seen()) > linked+1 })
	for _, stack := range w.seen() {
		assert.True(t, strings.Contains(stack, "(*follower).run"), stack)
		assert.False(t, strings.Contains(stack, "sessionStore") || strings.Contains(stack,
			"codeStore") || strings.Contains(stack, "/center."), stack)
	}
}
