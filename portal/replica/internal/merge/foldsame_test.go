package merge_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A whole state mostly repeats what is known. Only the rest is touched.
func TestAWholeStateTouchesOnlyWhatDiffers(t *testing.T) {
	d := merge.NewDirectory(virginia)
	record := func(i int, name string, stamp uint64) merge.Record {
		value := fmt.Appendf(nil, `{"id":%q,"userName":%q,"active":true}`, user(i), name)
		return merge.Record{Kind: center.KindUser, Key: user(i), Value: value, Stamp: stamp}
	}
	full := func(stamp uint64, records ...merge.Record) []merge.Name {
		return d.Fold(virginia, merge.Transaction{Stamp: stamp, Full: true, Records: records})
	}
	assert.Len(t, full(10, record(1, "a", 0), record(2, "b", 0), record(3, "c", 0)), 3)
	assert.Empty(t, full(20, record(1, "a", 10), record(2, "b", 10), record(3, "c", 10)), "it repeats what is there")
	touched := full(30, record(1, "a", 10), record(2, "changed", 10))
	want := []merge.Name{{Kind: center.KindUser, Key: user(2)}, {Kind: center.KindUser, Key: user(3)}}
	assert.ElementsMatch(t, want, touched)
	assert.Len(t, d.Facts(), 2)

	// What is newer than its record in a whole state, and older than that, is replaced: the log lost it.
	d.Fold(virginia, merge.Transaction{Stamp: 35, Records: []merge.Record{record(1, "newer", 0)}})
	touched = full(40, record(1, "a", 10), record(2, "changed", 10))
	assert.Equal(t, []merge.Name{{Kind: center.KindUser, Key: user(1)}}, touched)
}

// What a log comes to doesn't depend on whether the same Directory read it all, or one that saw only the last whole
// state and what follows.
func TestAWholeStateReplacesEverythingOlder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := newRegion(virginia)
		var since []arrival
		for stamp := range uint64(rapid.IntRange(2, 30).Draw(t, "transactions")) {
			full := rapid.IntRange(0, 3).Draw(t, "full") == 0
			var records []merge.Record
			for range rapid.IntRange(0, 3).Draw(t, "records") {
				r := merge.Record{Kind: center.KindUser, Key: user(rapid.IntRange(0, 2).Draw(t, "user"))}
				if full {
					r.Stamp = uint64(rapid.IntRange(1, int(stamp)+1).Draw(t, "stamp"))
				}
				if name := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "name"); name != "" || full {
					r.Value = fmt.Appendf(nil, `{"id":%q,"userName":"n%s"}`, r.Key, name)
				}
				records = append(records, r)
			}
			a := primary(stamp+1, full, records)
			if full {
				since = nil
			}
			since = append(since, a)
			all.know(a)
			if rapid.Bool().Draw(t, "again") {
				all.know(a)
			}
		}
		if since[0].tx.Full {
			fresh := newRegion(virginia).know(since...)
			same(t, fresh, all)
		}
	})
}
