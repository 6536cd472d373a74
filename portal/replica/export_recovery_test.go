package replica

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// HeardStart is the number of a Region's last start that a Node has heard of.
func HeardStart(t testing.TB, n *Node, region string) uint64 {
	t.Helper()
	heard, err := n.heardGeneration(t.Context(), region)
	require.NoError(t, err)
	n.mu.Lock()
	defer n.mu.Unlock()
	if f := n.followers[region]; f != nil {
		heard = max(heard, f.latest.Load())
	}
	return heard
}

// A CopiedEntry is a message of a copy of us-east-1's revoked.
type CopiedEntry struct {
	Kind  merge.EntryKind
	Under merge.Entry // whose subject
	Says  merge.Entry
	Until int64 // its header
}

// Recover merges messages, and returns the result under the subject of an entry, and its expiry.
func Recover(t testing.TB, kind merge.EntryKind, under merge.Entry, all []CopiedEntry) (e merge.Entry, until int64) {
	t.Helper()
	c := Config{Region: "us-east-1", InsecurePlaintext: true, Logger: slog.New(slog.DiscardHandler)}
	c.defaults()
	r := &recovery{n: &Node{cfg: c, ledger: newLedger(c.Region, "")},
		last: map[streamKind]map[string]lastMessage{kindRevoked: {}}}
	var messages []message
	for _, m := range all {
		b, err := json.Marshal(m.Says)
		require.NoError(t, err)
		messages = append(messages,
			message{Subject: kindRevoked.prefix(c.Region) + subject(nil, m.Kind, m.Under), Until: fmt.Sprint(m.Until), Data: b})
	}
	r.take(kindRevoked, messages, "", &r.log)
	v := r.last[kindRevoked][subject(nil, kind, under)]
	return v.entry, v.until
}
