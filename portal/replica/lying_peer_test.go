package replica_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// What ends access is taken from any copy. A lying Region can add ends, and can't replace what
// another one shows.
func TestALiarTakesNothingFromARecovery(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	out := merge.Entry{User: "u-1", ID: "s-1", Until: now.Add(12 * time.Hour)}
	user := merge.Entry{User: "u-1", Epoch: uint64(now.Unix())}
	later, other, higher, highest := out, out, user, user
	later.Until = now.Add(100 * time.Hour)
	other.ID, other.Until = "s-2", later.Until
	higher.Epoch++
	highest.Epoch = math.MaxUint64
	says := func(kind merge.EntryKind, under, says merge.Entry, until int64) replica.CopiedEntry {
		return replica.CopiedEntry{Kind: kind, Under: under, Says: says, Until: until}
	}
	honest := []replica.CopiedEntry{
		says(merge.EntrySignedOut, out, out, out.Until.Unix()+301),
		says(merge.EntryUser, user, user, 0),
	}
	for name, lie := range map[string]replica.CopiedEntry{
		"another entry in its place":        says(merge.EntrySignedOut, out, other, other.Until.Unix()),
		"the entry, in a message of before": says(merge.EntrySignedOut, out, later, 1),
		"an earlier end": says(merge.EntrySignedOut, out,
			merge.Entry{User: "u-1", ID: "s-1", Until: now}, now.Unix()),
		"an epoch that can't be raised":       says(merge.EntryUser, user, highest, 0),
		"an epoch, in a message that expires": says(merge.EntryUser, user, higher, 1),
	} {
		for _, all := range [][]replica.CopiedEntry{append(honest[:2:2], lie),
			append([]replica.CopiedEntry{lie}, honest...)} {
			e, until := replica.Recover(t, merge.EntrySignedOut, out, all)
			assert.Equal(t, "s-1", e.ID, name)
			assert.False(t, e.Until.Before(out.Until), name)
			assert.GreaterOrEqual(t, until, out.Until.Unix()+301, name)
			e, until = replica.Recover(t, merge.EntryUser, user, all)
			assert.True(t, e.Epoch >= user.Epoch && e.Epoch < math.MaxInt64, name)
			assert.Zero(t, until, "%s: it is kept for good", name)
		}
	}
}
