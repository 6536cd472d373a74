package merge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Kinds of record beside center's. They never reach an instance. Their values are
// stamps.
const (
	// KindGone, by principal: the principal was removed at that stamp. An assignment
	// that was made without knowledge of that is void, even if the principal is back.
	KindGone center.Kind = "gone"
	// KindEnded, by user ID: the user was disabled, removed or moved to another identity
	// provider at that stamp, which ends all earlier sessions.
	KindEnded center.Kind = "ended"
	// KindReplicated, by Region: that Region has all that it needs in order to serve,
	// including the directory's entry with that stamp.
	KindReplicated center.Kind = "replicated"
	// KindRemoved, by Region: the primary removed that Region at that stamp. It is
	// kept for good: the Region may hear of it years later, and nothing else makes it
	// erase what it has.
	KindRemoved center.Kind = "removed"
)

// internal says whether a kind is this package's own.
func internal(k center.Kind) bool { return ends(k) || k == KindReplicated }

// ends says whether a kind marks what ended, for good.
func ends(k center.Kind) bool { return k == KindGone || k == KindEnded || k == KindRemoved }

// A Record is a center.Record in a log, with what makes Regions agree.
type Record struct {
	Kind  center.Kind     `json:"k"`
	Key   string          `json:"i"`
	Value json.RawMessage `json:"v,omitempty"` // absent: removed
	// Stamp is when the record was written, in a full transaction. 0: with the
	// transaction.
	Stamp uint64 `json:"s,omitempty"`
	// Base is, for applications, how much of the primary's log the writer knew.
	Base uint64 `json:"b,omitempty"`
	// Optional says that a reader that doesn't know the kind may skip the record: it
	// changes no user's access.
	Optional bool `json:"o,omitempty"`
	// By is who wrote the record, in a full transaction. Nil: the Region itself. Older
	// versions skip it.
	By *center.Actor `json:"by,omitempty"`
}

func (r Record) name() Name { return Name{r.Kind, r.Key} }

// WrittenIn returns the stamp of a record of a transaction. Only a full transaction
// contains earlier records, and none contains later ones: a full transaction removes
// what is older, whichever arrives first.
func (r Record) WrittenIn(t Transaction) uint64 {
	if t.Full && r.Stamp > 0 {
		return min(r.Stamp, t.Stamp)
	}
	return t.Stamp
}

// ByIn returns who wrote a record of a transaction.
func (r Record) ByIn(t Transaction) *center.Actor {
	if t.Full && r.Stamp > 0 {
		return r.By
	}
	return t.By
}

// stampIn returns the value of a record of this package's own kinds. 0: none.
func stampIn(value json.RawMessage) (v uint64) {
	if json.Unmarshal(value, &v) != nil {
		return 0
	}
	return v
}

// A Name is what a record is about.
type Name struct {
	Kind center.Kind
	Key  string
}

func compareNames(a, b Name) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
}

func sorted(records []Record) []Record {
	slices.SortFunc(records, func(a, b Record) int { return compareNames(a.name(), b.name()) })
	return records
}

// goneKey returns the key of a principal's KindGone.
func goneKey(p center.Principal) string { return string(p.Type) + " " + p.ID }

// A Transaction is what one update changed. All of it takes effect, or nothing. It
// may be cut into several messages, which follow each other in the log.
type Transaction struct {
	// Stamp orders the transactions of a Region: microseconds of its clock, but
	// always more than the one before.
	Stamp uint64 `json:"stamp"`
	// Full says that Records are the whole state: everything else is removed.
	Full bool `json:"full,omitempty"`
	// First is the sequence of the first message, Part the number of this one
	// and Of how many there are.
	First   uint64   `json:"first"`
	Part    int      `json:"part"`
	Of      int      `json:"of"`
	Records []Record `json:"records"`
	// By is who made it, in the first part. Nil: the Region itself.
	By *center.Actor `json:"by,omitempty"`
}

// MaxPart is about how large a message of a transaction gets, as JSON, and
// maxRecord how large one record may be.
const (
	MaxPart   = 128 << 10
	maxRecord = 512 << 10
)

// An Error says what was refused. The caller knows what it was about to do, and
// adds the reason.
type Error struct{ Rule, Want, Got string }

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("merge", "", e.Rule, "", e.Want, e.Got, nil)
}

// Parts cuts a transaction that will begin at the sequence first. A record that is
// too large is refused with an *Error.
func (t Transaction) Parts(first uint64) ([]Transaction, error) {
	out := []Transaction{{Stamp: t.Stamp, Full: t.Full, First: first, By: t.By}}
	size := 0
	for _, r := range t.Records {
		n := len(r.Key) + len(r.Value) + 80
		if r.By != nil {
			n += len(r.By.UserID) + len(r.By.Session) + len(r.By.Client) + 30
		}
		if n > maxRecord {
			rule := string(r.Kind) + " " + refusal.Quote(r.Key)
			return nil, &Error{Rule: rule, Want: fmt.Sprintf("at most %d bytes", maxRecord), Got: fmt.Sprint(n)}
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

// An Assembler makes transactions of the parts in one Region's log. A transaction
// that was left incomplete is void as soon as another begins; so is a message that
// is not at the position where it says it was written.
type Assembler struct {
	have  Transaction // of the first parts
	parts int
}

// Add adds the message at seq of the log. It returns the transaction if that
// completes it.
func (a *Assembler) Add(seq uint64, p Transaction) (Transaction, bool) {
	if p.Of < 1 || p.Part < 0 || p.Part >= p.Of || p.First+uint64(p.Part) != seq {
		*a = Assembler{}
		return Transaction{}, false
	}
	h := a.have
	same := h.First == p.First && h.Stamp == p.Stamp && h.Full == p.Full && h.Of == p.Of
	switch {
	case same && p.Part < a.parts:
		return Transaction{}, false // it was copied twice
	case p.Part == 0:
		*a = Assembler{have: p}
		a.have.Records = slices.Clip(p.Records)
	case same && p.Part == a.parts:
		a.have.Records = append(a.have.Records, p.Records...)
	default:
		*a = Assembler{}
		return Transaction{}, false
	}
	if a.parts++; a.parts < p.Of {
		return Transaction{}, false
	}
	whole := a.have
	*a = Assembler{}
	return whole, true
}
