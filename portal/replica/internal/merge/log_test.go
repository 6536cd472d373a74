package merge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// written draws what the primary and another Region write, each knowing all of
// it: updates, and now and then a full transaction.
func written(t *rapid.T) (out []arrival) {
	here := newRegion(virginia)
	for i := range rapid.IntRange(1, 20).Draw(t, "updates") {
		from := rapid.SampledFrom([]string{virginia, frankfurt}).Draw(t, "from")
		var changes []center.Record
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			if r := record(t, from); from == virginia || r.Kind == center.KindApplication {
				changes = append(changes, center.Record{Kind: r.Kind, Key: r.Key, Value: r.Value})
			}
		}
		full := rapid.IntRange(0, 4).Draw(t, "full") == 0
		tx := here.dir.Compose(from, uint64(i), here.dir.Draft(from, changes), full)
		out = append(out, arrival{region: from, tx: &tx})
		here.know(out[len(out)-1])
	}
	return out
}

// A full transaction replaces all that precedes it in its log: a Region that missed
// any of that knows the same.
func TestAFullTransactionStandsForAllBeforeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := written(t)
		last := map[string]int{}
		for i, a := range all {
			if a.tx.Full {
				last[a.region] = i
			}
		}
		var some []arrival
		for i, a := range all {
			if i >= last[a.region] || rapid.Bool().Draw(t, "heard") {
				some = append(some, a)
			}
		}
		some = rapid.Permutation(some).Draw(t, "order")
		same(t, newRegion(mumbai).know(all...), newRegion(mumbai).know(some...))
	})
}

// What one Region drafts is the same each time.
func TestDraftsAreInOneOrder(t *testing.T) {
	r := newRegion(virginia)
	var gone []center.Record
	for i := range 20 {
		gone = append(gone, center.Record{Kind: center.KindUser, Key: fmt.Sprintf("u-%d", i)})
	}
	first := r.dir.Draft(virginia, gone)
	for range 10 {
		require.Equal(t, first, r.dir.Draft(virginia, gone))
	}
}

// Of a log that is read again from anywhere, any number of times, each whole
// transaction comes out whole, and of one that a crash cut off nothing does.
func TestTransactionsAreWholeOrNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var log []merge.Transaction // the message at sequence 1, and so on
		want := map[uint64]int{}    // records, by stamp
		for i := range rapid.IntRange(1, 8).Draw(t, "transactions") {
			stamp, of := uint64(i+1), rapid.IntRange(1, 4).Draw(t, "parts")
			kept := of
			if rapid.IntRange(0, 3).Draw(t, "torn") == 0 {
				kept = rapid.IntRange(0, of-1).Draw(t, "kept")
			}
			for part, first := 0, uint64(len(log)+1); part < kept; part++ {
				log = append(log, merge.Transaction{Stamp: stamp, First: first, Part: part, Of: of,
					Records: make([]merge.Record, 1)})
			}
			if kept == of {
				want[stamp] = of
			}
		}
		var asm merge.Assembler
		got := map[uint64]int{}
		for at, more := 0, 5; at < len(log); at++ {
			if whole, ok := asm.Add(uint64(at+1), log[at]); ok {
				got[whole.Stamp] = len(whole.Records)
			}
			if more > 0 && rapid.IntRange(0, 4).Draw(t, "again") == 0 {
				more--
				at = rapid.IntRange(0, at).Draw(t, "from") - 1
			}
		}
		require.Equal(t, want, got)
	})
}

// Who wrote a record is known from a later whole state, too. What another Region says is cut.
func TestAWholeStateKeepsTheActors(t *testing.T) {
	long := string(bytes.Repeat([]byte{'a'}, 255)) + "é"
	ada, client := &center.Actor{UserID: "u-1", Session: "s"}, &center.Actor{Client: long}
	r := newRegion(virginia).know(primary(1, true, []merge.Record{userRecord("u-1", true)}))
	for _, tx := range []merge.Transaction{
		{Stamp: 2, By: ada, Records: []merge.Record{userRecord("u-2", true)}},
		{Stamp: 3, By: client, Records: []merge.Record{userRecord("u-3", true), userRecord("u-4", true)}},
	} {
		r.dir.Fold(virginia, tx)
	}
	for range 2 { // also as it was read from a whole state
		full := r.dir.Compose(virginia, 9, []merge.Record{userRecord("u-5", true)}, true)
		full.By = ada
		by := map[string]*center.Actor{}
		for _, r := range full.Records {
			by[r.Key] = r.ByIn(full)
		}
		cut := &center.Actor{Client: long[:255]}
		assert.Equal(t, map[string]*center.Actor{"u-1": nil, "u-2": ada, "u-3": cut, "u-4": cut, "u-5": ada}, by)
		parts, err := full.Parts(1)
		require.NoError(t, err)
		b, err := json.Marshal(parts[0])
		require.NoError(t, err)
		var read merge.Transaction
		require.NoError(t, json.Unmarshal(b, &read))
		r = newRegion(virginia).know(arrival{region: virginia, tx: &read})
	}
}

// A transaction that was cut comes back as it was.
func TestPartsComeTogetherAgain(t *testing.T) {
	whole := merge.Transaction{Stamp: 7, Full: true}
	for i := range 20 {
		whole.Records = append(whole.Records, merge.Record{Kind: center.KindUser, Key: user(i), Value: make([]byte, 50<<10)})
	}
	parts, err := whole.Parts(40)
	require.NoError(t, err)
	require.Greater(t, len(parts), 5)
	var asm merge.Assembler
	for i, p := range parts {
		got, ok := asm.Add(uint64(40+i), p)
		require.Equal(t, i == len(parts)-1, ok)
		if ok {
			assert.Equal(t, whole.Records, got.Records)
		}
	}
	whole.Records = []merge.Record{{Kind: center.KindUser, Key: "large", Value: make([]byte, 600<<10)}}
	_, err = whole.Parts(1)
	var e *merge.Error
	require.ErrorAs(t, err, &e)
}
