package audit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

// FuzzParts: whatever a disk holds, each byte is in one part, in order, and a block is never cut or invented.
func FuzzParts(f *testing.F) {
	whole := audit.Block(1, 2, []byte("{}\n{}\n{}\n"))
	next := audit.Block(3, 1, []byte("{}\n{}\n"))
	both := append(append([]byte{}, whole...), next...)
	for at := 0; at <= len(both); at += 5 {
		f.Add(both[:at])
		f.Add(append(append([]byte{}, both[:at]...), both...))
		changed := append([]byte{}, both...)
		changed[at%len(both)] ^= 1
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at := 0
		for _, p := range audit.Parts(b) {
			require.Equal(t, at, p.From)
			require.Greater(t, p.To, p.From)
			at = p.To
			if p.Body != nil {
				require.Equal(t, b[p.From:p.To], audit.Block(p.First, p.Count, p.Body))
			}
		}
		require.Equal(t, len(b), at)
		require.Len(t, audit.Parts(both), 2)
	})
}
