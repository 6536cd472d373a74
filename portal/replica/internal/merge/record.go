package merge

import (
	"cmp"
	"encoding/json"

	"github.com/meridian-saml/meridian/portal/center"
)

// Kinds of record beside center's. They never reach an instance. Their values
// are numbers: stamps.
const (
	// KindGone, by principal: who was removed at that stamp. What was assigned
	// to the principal without knowing of that is void, even if the principal
	// is back by now.
	KindGone center.Kind = "gone"
	// KindEnded, by user ID: the user was disabled or removed at that stamp,
	// and no earlier session lives.
	KindEnded center.Kind = "ended"
	// KindReplicated, by Region: that Region has all that it needs in order to
	// serve, the directory's entry with that stamp included.
	KindReplicated center.Kind = "replicated"
)

// internal says whether a kind is this package's own.
func internal(k center.Kind) bool {
	return k == KindGone || k == KindEnded || k == KindReplicated || k == KindRemoved
}

// A Record is a center.Record on its way, with what makes Regions agree.
type Record struct {
	Kind  center.Kind     `json:"k"`
	Key   string          `json:"i"`
	Value json.RawMessage `json:"v,omitempty"` // absent: gone
	// Stamp is when the record was written, in a full transaction. 0: with the
	// transaction.
	Stamp uint64 `json:"s,omitempty"`
	// Base is, for applications, how much of the primary's log the writer knew.
	Base uint64 `json:"b,omitempty"`
	// Optional says, of a kind that the reader doesn't know, that it may be
	// skipped: it changes no user's access.
	Optional bool `json:"o,omitempty"`
}

func (r Record) name() Name { return Name{r.Kind, r.Key} }

// writtenIn is the stamp of a record of a transaction. Only a full transaction
// holds records that were written before it, and none holds later ones: a full
// transaction removes what is older, and must do so whichever arrives first.
func (r Record) writtenIn(t Transaction) uint64 {
	if t.Full && r.Stamp > 0 {
		return min(r.Stamp, t.Stamp)
	}
	return t.Stamp
}

// A Name is what a record is about.
type Name struct {
	Kind center.Kind
	Key  string
}

func compareNames(a, b Name) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
}

// goneKey is the key of a principal's KindGone.
func goneKey(p center.Principal) string { return string(p.Type) + " " + p.ID }
