package replica

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// Stale counts the messages on a Node's own server, of all Regions, that should be sealed again.
func Stale(t testing.TB, n *Node, sealer interface{ Stale([]byte) bool }) (stale int) {
	t.Helper()
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		for _, k := range streamKinds {
			s, err := n.stream(context.Background(), k.stream(region))
			require.NoError(t, err)
			for msg, err := range messages(context.Background(), s, k.prefix(region)) {
				require.NoError(t, err)
				if sealer.Stale(msg.Data) {
					stale++
				}
			}
		}
	}
	return stale
}

// Opens makes a Node call look with each value, and its subject, before it opens it.
func Opens(c *Config, look func(subject string, v []byte) error) { c.opens = look }

// Seals does that before a Node seals a value.
func Seals(c *Config, look func(subject string, v []byte) error) { c.seals = look }

// Plain counts the messages in a Region's own streams and in its copies that are not sealed. A stream that is being
// created anew counts as one.
func Plain(t testing.TB, n *Node) (plain int) {
	t.Helper()
	all, err := n.streamsToRead(t.Context())
	if err != nil {
		return 1
	}
	for region, kinds := range all {
		for _, k := range kinds {
			s, err := n.stream(t.Context(), k.stream(region))
			if err != nil {
				return 1
			}
			for msg, err := range messages(t.Context(), s, k.prefix(region)) {
				if err != nil {
					return 1
				} else if msg.Header.Get(headerBound) == "" {
					plain++
				}
			}
		}
	}
	return plain
}

// ProofKey returns the key of a Region's proofs, as text.
func ProofKey(n *Node) string {
	b, _ := n.identity.Load().Key.MarshalText()
	return string(b)
}
