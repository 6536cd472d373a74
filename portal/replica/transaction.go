package replica

import (
	"encoding/json"
	"fmt"

	"github.com/meridian-saml/meridian/portal/center"
)

// Kinds of record beside center's. They are this package's own business and
// never reach an instance. Their values are numbers: stamps.
const (
	// kindGone, by principal: who was removed at that stamp. What was assigned
	// to the principal by someone who had not heard of that is void, even if
	// the principal is back by now.
	kindGone center.Kind = "gone"
	// kindEnded, by user ID: the user was disabled or removed at that stamp,
	// and no earlier session lives.
	kindEnded center.Kind = "ended"
	// kindReplicated, by Region: that Region has all that it needs in order to
	// serve, the directory's entry with that stamp included.
	kindReplicated center.Kind = "replicated"
)

// A record is a center.Record on its way, with what makes Regions agree.
type record struct {
	Kind  center.Kind     `json:"k"`
	Key   string          `json:"i"`
	Value json.RawMessage `json:"v,omitempty"` // absent: gone
	// Stamp is when the record was written. 0: with the transaction.
	Stamp uint64 `json:"s,omitempty"`
	// Base is, for applications, how much of the primary's log the writer knew.
	Base uint64 `json:"b,omitempty"`
}

// A transaction is what one update changed: all of it or nothing takes effect.
// It may be cut into several messages, which follow each other in the log.
type transaction struct {
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
	Records []record `json:"records"`
}

// maxPart is about how large a message of a transaction gets, as JSON, and
// maxRecord how large one record may be.
const (
	maxPart   = 128 << 10
	maxRecord = 512 << 10
)

// parts cuts a transaction that will begin at the sequence first.
func (t transaction) parts(first uint64) ([]transaction, error) {
	out := []transaction{{Stamp: t.Stamp, Full: t.Full, First: first}}
	size := 0
	for _, r := range t.Records {
		n := len(r.Key) + len(r.Value) + 80
		if n > maxRecord {
			return nil, &Error{Reason: ReasonTooLarge, What: string(r.Kind) + " " + quote(r.Key), Want: fmt.Sprintf("at most %d bytes", maxRecord), Got: fmt.Sprint(n)}
		}
		if size > 0 && size+n > maxPart {
			out = append(out, transaction{Stamp: t.Stamp, Full: t.Full, First: first, Part: len(out)})
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

// An assembler puts the parts of one Region's log together. A transaction that
// was left incomplete is void as soon as another begins; so is a message that
// does not stand where it says it was written.
type assembler struct{ have []transaction }

// add takes the message at seq of the log. It returns the transaction if that
// completes it.
func (a *assembler) add(seq uint64, p transaction) (transaction, bool) {
	sane := p.Of >= 1 && p.Part >= 0 && p.Part < p.Of && p.First+uint64(p.Part) == seq
	if !sane {
		a.have = nil
		return transaction{}, false
	}
	if p.Part < len(a.have) && a.have[0].continuedBy(p) {
		return transaction{}, false // it was copied twice
	}
	if p.Part == 0 {
		a.have = nil
	}
	if len(a.have) != p.Part || p.Part > 0 && !a.have[0].continuedBy(p) {
		a.have = nil
		return transaction{}, false
	}
	a.have = append(a.have, p)
	if len(a.have) < p.Of {
		return transaction{}, false
	}
	whole := a.have[0]
	for _, more := range a.have[1:] {
		whole.Records = append(whole.Records, more.Records...)
	}
	a.have = nil
	return whole, true
}

func (t transaction) continuedBy(p transaction) bool {
	return t.First == p.First && t.Stamp == p.Stamp && t.Full == p.Full && t.Of == p.Of
}

// partHeader is what a copier may know of a part: its number, how many there
// are, how many elements it holds, the whole holds, and whether it is full.
func partHeader(p transaction, total int) string {
	full := 0
	if p.Full {
		full = 1
	}
	return fmt.Sprintf("%d/%d/%d/%d/%d", p.Part, p.Of, len(p.Records), total, full)
}

type partInfo struct{ part, of, elements, total, full int }

func readPartHeader(s string) (p partInfo, ok bool) {
	k, err := fmt.Sscanf(s, "%d/%d/%d/%d/%d", &p.part, &p.of, &p.elements, &p.total, &p.full)
	return p, err == nil && k == 5 && p.part >= 0 && p.part < p.of && p.elements >= 0 && p.total >= p.elements
}
