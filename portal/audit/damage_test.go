package audit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

// written writes events one at a time, so that each is a block, and returns the file and where each block ends.
func written(r *region, n int) (path string, ends []int) {
	r.t.Helper()
	l := r.open()
	for i := range n {
		require.NoError(r.t, l.Access(r.t.Context(), signIn(fmt.Sprint("user-", i))))
		path = r.files(audit.Access)[0]
		ends = append(ends, len(read(r.t, path)))
	}
	require.NoError(r.t, l.Close())
	return path, ends
}

// A crash leaves any part of the last block.
func TestTornLastBlockIsCutAndSaid(t *testing.T) {
	r := newRegion(t, virginia)
	path, ends := written(r, 3)
	whole := read(t, path)
	for at := ends[1] + 1; at < ends[2]; at += 7 {
		for _, tail := range [][]byte{nil, make([]byte, ends[2]-at)} { // missing, or zeros
			require.NoError(t, os.WriteFile(path, append(whole[:at:at], tail...), 0o600))
			l, err := audit.Open(r.cfg)
			require.NoError(t, err)
			l.Flush()
			all, wrong := exported(t, l)
			require.Empty(t, wrong)
			require.Len(t, named(all, "UserAuthentication"), 2)
			said := named(all, "AuditLogCut")
			require.NotEmpty(t, said)
			require.Equal(t, fmt.Sprint(at-ends[1]+len(tail)), said[len(said)-1].Additional["bytes"])
			require.Len(t, read(t, path), ends[1])
			require.NoError(t, l.Close())
		}
	}
	l := r.open()
	require.NoError(t, l.Access(t.Context(), signIn("next")))
	all, wrong := exported(t, l)
	require.Empty(t, wrong, "numbers go on without a gap")
	require.Len(t, named(all, "UserAuthentication"), 3)
}

func TestDamagedMiddleIsToldAndTheRestIsRead(t *testing.T) {
	r := newRegion(t, virginia)
	path, ends := written(r, 5)
	whole := read(t, path)
	for at := ends[1]; at < ends[2]; at += 11 { // in the third block
		changed := bytes.Clone(whole)
		changed[at] ^= 0x40
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		l, err := audit.Open(r.cfg)
		require.NoError(t, err)
		all, wrong := exported(t, l)
		require.Len(t, named(all, "UserAuthentication"), 4, "byte %d", at)
		require.NotEmpty(t, wrong)
		for _, e := range wrong {
			require.Equal(t, audit.ReasonDamaged, e.Reason)
			require.Contains(t, e.Error(), filepath.Base(path))
		}
		page, err := l.Search(t.Context(), audit.Query{Class: audit.Access})
		require.NoError(t, err)
		require.Len(t, page.Events, 4)
		require.NotEmpty(t, page.Damage)
		require.NoError(t, l.Close())
	}
	lost := append(bytes.Clone(whole[:ends[1]]), whole[ends[2]:]...) // the third block is missing
	require.NoError(t, os.WriteFile(path, lost, 0o600))
	all, wrong := exported(t, r.open())
	assert.Len(t, named(all, "UserAuthentication"), 4)
	require.Len(t, wrong, 1)
	assert.Equal(t, "events 3 to 3", wrong[0].Want)
}

// A checksum is no protection from an attacker: the seal is.
func TestBlocksOfOtherPlacesDontOpen(t *testing.T) {
	r := newRegion(t, virginia)
	path, _ := written(r, 2)
	other := newRegion(t, frankfurt)
	other.sealer, other.cfg.Sealer = r.sealer, r.sealer // the same key
	l := other.open()
	require.NoError(t, l.Access(t.Context(), signIn("mallory")))
	require.NoError(t, l.Access(t.Context(), signIn("mallory")))
	require.NoError(t, l.Close())

	require.NoError(t, os.WriteFile(path, read(t, other.files(audit.Access)[0]), 0o600))
	all, wrong := exported(t, r.open())
	assert.Empty(t, named(all, "UserAuthentication"))
	require.Len(t, wrong, 2)
	assert.Equal(t, audit.ReasonDamaged, wrong[0].Reason)
	assert.Equal(t, "events 1 to 1", wrong[0].Want)
}

func TestAWholeFileOfDamageIsNotCut(t *testing.T) {
	r := newRegion(t, virginia)
	path, ends := written(r, 2)
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte{1}, 3<<20), 0o600))
	l := r.open()
	require.NoError(t, l.Access(t.Context(), signIn("next")))
	assert.Len(t, read(t, path), 3<<20, "bytes; there were %d", ends[1])
	all, wrong := exported(t, l)
	assert.Len(t, named(all, "UserAuthentication"), 1)
	assert.NotEmpty(t, wrong)
}
