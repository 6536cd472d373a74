package integrity

import "fmt"

// A Verdict is what the owner of a log makes of what it is shown.
type Verdict int

// The verdicts.
const (
	// Fine: nothing speaks against the log.
	Fine Verdict = iota
	// Behind: the other place lacks messages, which it can fetch.
	Behind
	// Claim: it says that it has more, and shows nothing that proves it. It is
	// reported and changes nothing else.
	Claim
	// Damaged: it shows what the owner once had and has no more.
	Damaged
)

// String names the verdict.
func (v Verdict) String() string {
	return [...]string{"fine", "behind", "claim", "damaged"}[v]
}

// A Shown is what a follower says about its copy of a line: where it is, and
// the proof of the last message there.
type Shown struct {
	Line, Store string
	Position    uint64
	Proof       *Proof // nil: none
}

// Judge judges what a follower shows. end is the last sequence of the owner's
// stream, looked up after the question arrived.
func (d *Identity) Judge(s Shown, end uint64) (v Verdict, why string) {
	store := d.Stores[s.Line]
	if s.Store != store {
		if bad, why := d.judgeOther(s.Line, s.Store, s.Proof); bad {
			return Damaged, why
		}
		if s.Store == "" || d.Vouched {
			return Behind, ""
		}
		return Claim, "says that it has a copy of another store of this log"
	}
	v = Fine
	if s.Position < end {
		v = Behind
	} else if s.Position > end {
		v, why = Claim, fmt.Sprintf("says that the log goes to %d; it ends at %d", s.Position, end)
	}
	if s.Proof == nil {
		return v, why
	}
	g, ok := d.Key.Check(s.Proof.Token, Place{s.Line, store, s.Proof.Seq}, s.Proof.Item)
	switch {
	case !ok:
		return Claim, fmt.Sprintf("shows a message %d that this Region did not write", s.Proof.Seq)
	case d.lost(g):
		return Damaged, lostGeneration(g)
	case s.Proof.Seq > end:
		return Damaged, fmt.Sprintf("the log ends at %d, and went to %d", end, s.Proof.Seq)
	}
	return v, why
}

func lostGeneration(g Generation) string {
	return fmt.Sprintf("start number %d of this Region is not known here: an older copy of the log is in its place, or a second one runs", g.Number)
}

// A Record is one message of a copy, as its holder shows it to the owner.
type Record struct {
	Line, Store, Subject string
	Until                int64
	Proof
}

// JudgeRecord judges one message of a copy. c is what the owner's memory has of
// the line, end the last sequence of its stream; both are looked up after the
// message was shown. now is seconds of Unix time.
//
// A message of another store is evidence while the Region's own may have taken
// its place unknowingly (First), and needs no proof there: the key was lost too.
// So the caller takes it from a Region that it asked itself.
//
// Behind means that the owner's memory is not there yet: judge it again later.
func (d *Identity) JudgeRecord(r Record, c *Content, end uint64, now, skew int64) (Verdict, string) {
	store := d.Stores[r.Line]
	if r.Store != store {
		if bad, why := d.judgeOther(r.Line, r.Store, &r.Proof); bad {
			return Damaged, why
		}
		if d.First() {
			return Damaged, "another Region has a copy of an earlier log of this Region, which this one doesn't replace knowingly: its disk was lost, or another one is in its place"
		}
		return Fine, "" // of a store that was replaced
	}
	g, ok := d.Key.Check(r.Token, Place{r.Line, store, r.Seq}, r.Item)
	if !ok {
		return Claim, fmt.Sprintf("shows a message %d that this Region did not write", r.Seq)
	}
	if d.lost(g) {
		return Damaged, lostGeneration(g)
	}
	if r.Seq > end {
		return Damaged, fmt.Sprintf("the log ends at %d, and went to %d", end, r.Seq)
	}
	seq, item, has := c.Item(r.Subject)
	switch {
	case has && seq > r.Seq || r.Seq < c.floor:
		return Fine, "" // replaced
	case has && seq == r.Seq && item != r.Item:
		return Damaged, fmt.Sprintf("message %d of the log was another one", r.Seq)
	case has && seq == r.Seq:
		return Fine, ""
	case r.Until != 0 && r.Until < Cutoff(now, skew):
		return Fine, "" // it may have expired here
	case r.Seq > c.last:
		return Behind, ""
	}
	return Damaged, fmt.Sprintf("message %d is missing in the log", r.Seq)
}

// A Mark says how far a stream was, and what it held.
type Mark struct {
	Store string `json:"store"`
	Last  uint64 `json:"last"`
	Sums  Sums   `json:"sums,omitempty"`
	// Counts are how many messages expire in each interval, as Sums are.
	Counts Counts `json:"counts,omitempty"`
	// At is when the mark was set, in seconds of Unix time. What expired before
	// is not compared, also by a clock that was set back since.
	At int64 `json:"at,omitempty"`
}

// Check compares a stream with the mark that was set when it was last seen. c
// is what it holds, end its last sequence. It returns what is wrong, or "".
func (m Mark) Check(c *Content, end uint64, now, skew int64) string {
	cutoff := Cutoff(max(now, m.At), skew)
	switch {
	case end < m.Last:
		return fmt.Sprintf("the log ends at %d, and went to %d", end, m.Last)
	case c.last <= m.Last && end == m.Last && m.Sums.Beyond(cutoff) != c.Sum(cutoff):
		return fmt.Sprintf("what the log holds up to %d is not what it held", m.Last)
	case c.last > m.Last && c.floor == 0: // where there are whole states there are no gaps, which Open sees
		return m.countOld(c, cutoff)
	}
	return ""
}

// countOld checks a stream that has gone on since the mark, and in which no
// whole state replaces what was before. Each message since then has replaced one
// of those before, or none.
func (m Mark) countOld(c *Content, cutoff int64) string {
	left, since := m.Counts.Beyond(cutoff), 0
	for _, h := range c.held {
		if h.seq > m.Last {
			since++
		} else if beyond(bucket(h.until), cutoff) {
			left--
		}
	}
	if left > since {
		return fmt.Sprintf("%d of the messages up to %d are missing, and %d came since", left, m.Last, since)
	}
	return ""
}
