package merge

import (
	"fmt"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// A Transaction is what one update changed: all of it or nothing takes effect.
// It may be cut into several messages, which follow each other in the log.
type Transaction struct {
	// Stamp orders the transactions of a Region: microseconds of its clock, but
	// always more than the one before.
	Stamp uint64 `json:"stamp"`
	// Full says that Records are all there is; what isn't among them is gone.
	Full bool `json:"full,omitempty"`
	// First is the sequence of the first message, Part the number of this one
	// and Of how many there are.
	First   uint64   `json:"first"`
	Part    int      `json:"part"`
	Of      int      `json:"of"`
	Records []Record `json:"records"`
}

// MaxPart is about how large a message of a transaction gets, as JSON, and
// maxRecord how large one record may be.
const (
	MaxPart   = 128 << 10
	maxRecord = 512 << 10
)

// Parts cuts a transaction that will begin at the sequence first. A record that
// is too large is refused with an *Error.
func (t Transaction) Parts(first uint64) ([]Transaction, error) {
	out := []Transaction{{Stamp: t.Stamp, Full: t.Full, First: first}}
	size := 0
	for _, r := range t.Records {
		n := len(r.Key) + len(r.Value) + 80
		if n > maxRecord {
			return nil, &Error{Rule: string(r.Kind) + " " + refusal.Quote(r.Key), Want: fmt.Sprintf("at most %d bytes", maxRecord), Got: fmt.Sprint(n)}
		}
		if size > 0 && size+n > MaxPart {
			out = append(out, Transaction{Stamp: t.Stamp, Full: t.Full, First: first, Part: len(out)})
			size = 0
		}
		p := &out[len(out)-1]
		p.Records = append(p.Records, r)
		size += n
	}
	for i := range out {
		out[i].Of = len(out)
	}
	return out, nil
}

// An Assembler puts the parts of one Region's log together. A transaction that
// was left incomplete is void as soon as another begins; so is a message that
// does not stand where it says it was written.
type Assembler struct{ have []Transaction }

// Add takes the message at seq of the log. It returns the transaction if that
// completes it.
func (a *Assembler) Add(seq uint64, p Transaction) (Transaction, bool) {
	sane := p.Of >= 1 && p.Part >= 0 && p.Part < p.Of && p.First+uint64(p.Part) == seq
	if !sane {
		a.have = nil
		return Transaction{}, false
	}
	if p.Part < len(a.have) && a.have[0].continuedBy(p) {
		return Transaction{}, false // it was copied twice
	}
	if p.Part == 0 {
		a.have = nil
	}
	if len(a.have) != p.Part || p.Part > 0 && !a.have[0].continuedBy(p) {
		a.have = nil
		return Transaction{}, false
	}
	a.have = append(a.have, p)
	if len(a.have) < p.Of {
		return Transaction{}, false
	}
	whole := a.have[0]
	for _, more := range a.have[1:] {
		whole.Records = append(whole.Records, more.Records...)
	}
	a.have = nil
	return whole, true
}

func (t Transaction) continuedBy(p Transaction) bool {
	return t.First == p.First && t.Stamp == p.Stamp && t.Full == p.Full && t.Of == p.Of
}
