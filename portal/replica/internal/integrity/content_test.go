package integrity_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
)

func message(seq uint64, subject, says string) integrity.Message {
	return integrity.Message{Store: "s1", Seq: seq, Subject: subject, Item: integrity.HashItem(subject, 0, []byte(says))}
}

func contentOf(all ...integrity.Message) *integrity.Content {
	c := integrity.NewContent()
	for _, m := range all {
		c.Add(m)
	}
	return c
}

func TestTheLastMessageOfASubjectCounts(t *testing.T) {
	a := contentOf(message(1, "a", "1"), message(2, "b", "2"), message(3, "a", "3"))
	b := contentOf(message(2, "b", "2"), message(3, "a", "3"))
	assert.Equal(t, a.Sum(0), b.Sum(0))
	assert.Equal(t, 2, a.Len())
	assert.NotEqual(t, a.Sum(0), contentOf(message(2, "b", "2"), message(3, "a", "4")).Sum(0))
	assert.NotEqual(t, a.Sum(0), contentOf(message(3, "a", "3")).Sum(0))
	a.Add(message(1, "a", "1"))
	assert.Equal(t, a.Sum(0), b.Sum(0), "one that comes again makes no difference")
	store, seq := a.At()
	assert.Equal(t, "s1", store)
	assert.Equal(t, uint64(3), seq)
}

// A copy and its original let go of what a whole state replaced at different
// times, or a crash keeps one from it.
func TestAWholeStateReplacesWhatWasBefore(t *testing.T) {
	last := message(5, "tx.4.1", "full 2")
	last.Replaces = integrity.ReplacedBy(last.Subject)
	assert.Equal(t, "tx.4.0", last.Replaces)
	long := contentOf(message(1, "tx.1.0", "x"), message(2, "tx.2.0", "y"), message(4, "tx.4.0", "full 1"), last,
		message(6, "tx.6.0", "z"))
	short := contentOf(message(4, "tx.4.0", "full 1"), last, message(6, "tx.6.0", "z"))
	assert.Equal(t, short.Sum(0), long.Sum(0))
	assert.Equal(t, 3, long.Len(), "it replaces none of its own")
	old := contentOf(message(1, "tx.1.0", "x"), message(2, "tx.2.0", "y"), message(3, "tx.3.0", "z")).Mark()
	assert.Empty(t, old.Check(contentOf(message(4, "tx.4.0", "full 1"), last), 5, 0, 300),
		"what it replaced is not missing")
	torn := contentOf(message(1, "tx.1.0", "x"), message(4, "tx.4.0", "full 1"))
	assert.Equal(t, 2, torn.Len(), "one that is not whole replaces nothing")
}

func TestAnotherReadBeginsAnew(t *testing.T) {
	again := message(1, "a", "1")
	again.Read = 1
	c := contentOf(message(1, "a", "1"), message(2, "left", "x"), again)
	assert.Equal(t, contentOf(message(1, "a", "1")).Sum(0), c.Sum(0), "what the earlier read left no longer counts")
	c.Add(message(3, "late", "of the earlier read"))
	assert.Equal(t, 1, c.Len())
	other := message(1, "a", "1")
	other.Store = "s2"
	d := contentOf(message(1, "a", "1"), other)
	assert.NotEqual(t, c.Sum(0), d.Sum(0), "another store's sums can't be compared")
	assert.Equal(t, 1, d.Len())
	d.Begin("s2", 1)
	assert.Zero(t, d.Len())
}

// Where clocks are apart a message has expired in one place and lives in
// another. Sums from a cutoff on don't see the difference.
func TestExpiryMakesNoDifferenceBeyondTheCutoff(t *testing.T) {
	now, skew := int64(1_800_000_000), int64(300)
	expiring := func(seq uint64, until int64) integrity.Message {
		subject := fmt.Sprint("s", seq)
		return integrity.Message{Store: "s1", Seq: seq, Subject: subject, Until: until,
			Item: integrity.HashItem(subject, until, nil)}
	}
	soon, later := expiring(1, now+skew+599), expiring(2, now+3600)
	here, there := contentOf(soon, later, message(3, "c", "never")), contentOf(later, message(3, "c", "never"))
	cutoff := integrity.Cutoff(now, skew)
	assert.Equal(t, here.Sum(cutoff), there.Sum(cutoff))
	assert.NotEqual(t, here.Sum(0), there.Sum(0))
	here.Forget(now + 1800)
	assert.Equal(t, here.Sum(0), there.Sum(0))
	assert.NotEqual(t, here.Sum(cutoff), contentOf(message(3, "c", "never")).Sum(cutoff))
	assert.LessOrEqual(t, cutoff-now, 2*skew+1800)
}

// Whatever was missed because it was replaced meanwhile, and whatever came
// twice: places that have read a stream to its end have the same sums.
func TestSumsDependOnWhatIsThereAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subjects := rapid.SliceOfN(rapid.StringMatching(`[a-d]`), 1, 20).Draw(t, "subjects")
		var all []integrity.Message
		last := map[string]uint64{}
		for i, s := range subjects {
			all = append(all, message(uint64(i+1), s, fmt.Sprint(i)))
			last[s] = uint64(i + 1)
		}
		owner, copied := contentOf(all...), integrity.NewContent()
		for _, m := range all {
			if last[m.Subject] == m.Seq || rapid.Bool().Draw(t, "seen") {
				for range rapid.IntRange(1, 2).Draw(t, "times") {
					copied.Add(m)
				}
			}
		}
		if owner.Sum(0) != copied.Sum(0) {
			t.Fatal("different sums")
		}
		lost := integrity.NewContent()
		for _, m := range all[:len(all)-1] {
			lost.Add(m)
		}
		if owner.Sum(0) == lost.Sum(0) {
			t.Fatal("the last message is missing, and nothing shows it")
		}
	})
}

func TestSumsAsText(t *testing.T) {
	s := contentOf(message(1, "a", "1")).Sum(0)
	b, err := s.MarshalText()
	require.NoError(t, err)
	var got integrity.Sum
	require.NoError(t, got.UnmarshalText(b))
	assert.Equal(t, s, got)
	assert.Error(t, got.UnmarshalText(b[1:]))
}
