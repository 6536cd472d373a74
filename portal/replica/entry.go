package replica

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// lineOf is the stream in which entries of a kind stand.
var entryStream = map[merge.EntryKind]streamKind{
	merge.EntrySession:   kindSessions,
	merge.EntrySeen:      kindSessions,
	merge.EntryEnded:     kindSessions,
	merge.EntryCode:      kindSessions,
	merge.EntryTaken:     kindSessions,
	merge.EntryProbe:     kindSessions,
	merge.EntryRevoked:   kindRevoked,
	merge.EntrySignedOut: kindRevoked,
	merge.EntryUser:      kindRevoked,
	merge.EntryLogout:    kindRevoked,
}

// subject is where an entry stands in its stream. It begins with the kind, and
// is bound to what the body says it is about, so a message that got under
// another subject is worth nothing there.
func subject(kind merge.EntryKind, e merge.Entry) string {
	about := []string{string(kind), e.Key}
	switch kind {
	case merge.EntryRevoked, merge.EntrySignedOut:
		about = []string{string(kind), e.User, e.ID}
	case merge.EntryLogout:
		about = []string{string(kind)}
		if l := e.Logout; l != nil { // each has a subject of its own
			b, _ := json.Marshal(l) // strings and times of a JSON message
			about = append(about, string(b))
		}
	case merge.EntryUser:
		about = []string{string(kind), e.User}
	}
	return string(kind) + "." + token(about...)
}

// take takes a message about sessions in, if it stands where it belongs.
func (l *ledger) take(a arrival) error {
	var e merge.Entry
	if err := json.Unmarshal(a.body, &e); err != nil {
		return &Error{Reason: ReasonCorrupt, Rule: "message about sessions", Want: "JSON", Err: err}
	}
	begin, _, _ := strings.Cut(a.subject, ".")
	kind := merge.EntryKind(begin)
	if !knows(kind) {
		return l.merge(a.region, kind, e)
	}
	if want := subject(kind, e); a.subject != want {
		return &Error{Reason: ReasonCorrupt, Rule: "message about sessions", Want: "the subject " + want, Got: a.subject}
	}
	if entryStream[kind] != a.kind {
		return &Error{Reason: ReasonCorrupt, Rule: "message about sessions", Want: "a known subject", Got: a.subject}
	}
	return l.merge(a.region, kind, e)
}

// entryWrite is the write of an entry that lives until then; zero: for good.
func entryWrite(kind merge.EntryKind, e merge.Entry, until time.Time) write {
	return write{kind: entryStream[kind], subject: subject(kind, e), body: e, until: until}
}

// record writes an entry to this Region's own stream and then takes it in. What
// ends sessions is taken in first: see end.
func (n *Node) record(ctx context.Context, kind merge.EntryKind, e merge.Entry, until time.Time) error {
	if kind.Ends() {
		return n.end(ctx, kind, e, until)
	}
	if _, err := n.publish(ctx, entryWrite(kind, e, until)); err != nil {
		return err
	}
	return n.ledger.merge(n.cfg.Region, kind, e)
}
