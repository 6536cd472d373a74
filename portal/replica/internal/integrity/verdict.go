package integrity

import "fmt"

// A Verdict is the result of checking a follower's claim or proof about a log.
type Verdict int

// The verdicts.
const (
	// Fine: there is no evidence of damage.
	Fine Verdict = iota
	// Behind: the other place lacks messages, which it can fetch.
	Behind
	// Claim: the other place claims to have more, without a proof. The claim is only reported.
	Claim
	// Damaged: the other place proves that the owner has lost a message.
	Damaged
)

// A Shown is what a follower says about its copy of a line: its position, and the
// proof of the last message there.
type Shown struct {
	Line, Store string
	Position    uint64
	Proof       *Proof // nil: none
}

// Judge returns the verdict on what a follower has sent. end is the last sequence of the owner's stream, looked up
// after the question arrived. another reports whether the owner's stream has another message at the sequence of a
// proof. That is so if a damaged file lost the message and the next one took its sequence. It is called only for a
// proof that the owner made, and returns false if the stream has no message there any more.
func (d *Identity) Judge(s Shown, end uint64, another func(Proof) bool) (v Verdict, why string) {
	if s.Store != d.Stores[s.Line] {
		why := d.lostBy(s.Line, s.Store, s.Proof)
		switch {
		case why != "":
			return Damaged, why
		case s.Store == "", d.Vouched:
			return Behind, ""
		}
		return Claim, "says that it has a copy of another store of this log"
	}
	if s.Position < end {
		v = Behind
	} else if s.Position > end {
		v, why = Claim, fmt.Sprintf("says that the log goes to %d; it ends at %d", s.Position, end)
	}
	if s.Proof != nil {
		if proved, because := d.judgeProof(s.Line, *s.Proof, end); proved != Fine {
			return proved, because
		}
		if another(*s.Proof) {
			return Damaged, wasAnother(s.Proof.Seq)
		}
	}
	return v, why
}

// judgeProof judges the proof of a message of the Region's own store.
func (d *Identity) judgeProof(line string, p Proof, end uint64) (Verdict, string) {
	g, ok := d.Key.Check(p.Token, Place{line, d.Stores[line], p.Seq}, p.Item)
	switch {
	case !ok:
		return Claim, fmt.Sprintf("shows a message %d that this Region did not write", p.Seq)
	case d.lost(g):
		return Damaged, lostGeneration(g)
	case p.Seq > end:
		return Damaged, fmt.Sprintf("the log ends at %d, and went to %d", end, p.Seq)
	}
	return Fine, ""
}

// lostBy returns what a proof of another store than the Region's own shows, or "":
// an older copy of the disks was put back, and that store came after it.
func (d *Identity) lostBy(line, store string, p *Proof) string {
	if p == nil {
		return ""
	}
	if g, ok := d.Key.Check(p.Token, Place{line, store, p.Seq}, p.Item); ok && d.lost(g) {
		return lostGeneration(g)
	}
	return ""
}

func lostGeneration(g Generation) string {
	return fmt.Sprintf("start number %d of this Region is not known here: "+
		"an older copy of the log is in its place, or a second one runs", g.Number)
}

func wasAnother(seq uint64) string { return fmt.Sprintf("message %d of the log was another one", seq) }

// A Record is one message of a copy, as its holder shows it to the owner.
type Record struct {
	Line, Store, Subject string
	Until                int64
	Proof
}

// JudgeRecord judges one message of a copy. c is what the owner's memory has of the
// line, and end the last sequence of its stream, both looked up after the message was
// shown. now is in seconds of Unix time. Behind means that the owner's memory is not
// there yet: judge the message again later.
//
// While the Region's store may have replaced another one unnoticed (First), a message
// of another store is evidence, and needs no proof: the key was lost too. So the caller
// takes it only from a Region that it asked itself.
func (d *Identity) JudgeRecord(r Record, c *Content, end uint64, now, skew int64) (v Verdict, why string) {
	if r.Store != d.Stores[r.Line] {
		if why := d.lostBy(r.Line, r.Store, &r.Proof); why != "" {
			return Damaged, why
		}
		if d.First() {
			return Damaged, "another Region has a copy of an earlier log of this Region, which this one doesn't " +
				"replace knowingly: its disk was lost, or another one is in its place"
		}
		return Fine, "" // of a store that was replaced
	}
	if v, why = d.judgeProof(r.Line, r.Proof, end); v != Fine {
		return v, why
	}
	seq, item, has := c.Item(r.Subject)
	switch {
	case has && seq == r.Seq && item != r.Item:
		return Damaged, wasAnother(r.Seq)
	case has && seq >= r.Seq, r.Seq < c.floor, r.Until != 0 && r.Until < Cutoff(now, skew):
		return Fine, "" // it is here, or was replaced, or may have expired
	case r.Seq > c.last:
		return Behind, ""
	}
	return Damaged, fmt.Sprintf("message %d is missing in the log", r.Seq)
}
