package replica

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// entryStream is the stream of each kind of entry. Other kinds are unknown.
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

// subject is the subject of an entry in its stream. It begins with the kind and is
// bound to the body, so a message under another subject is refused.
func subject(kind merge.EntryKind, e merge.Entry) string {
	about := []string{string(kind), e.Key}
	switch kind {
	case merge.EntryRevoked, merge.EntrySignedOut:
		about = []string{string(kind), e.User, e.ID}
	case merge.EntryLogout:
		about = []string{string(kind)}
		if l := e.Logout; l != nil { // each has its own subject
			b, _ := json.Marshal(l) // never fails: strings and times of a JSON message
			about = append(about, string(b))
		}
	case merge.EntryUser:
		about = []string{string(kind), e.User}
	}
	return string(kind) + "." + token(about...)
}

// knows reports whether this version knows a kind of entry, and so its subject.
func knows(kind merge.EntryKind) bool { return entryStream[kind] != "" }

// take takes a message about sessions in, if its subject is right.
func (l *ledger) take(a arrival) error {
	bad := func(want, got string, err error) error {
		return &Error{Reason: ReasonCorrupt, Rule: "message about sessions", Want: want, Got: got, Err: err}
	}
	var e merge.Entry
	if err := json.Unmarshal(a.body, &e); err != nil {
		return bad("JSON", "", err)
	}
	kind := kindOf(a.subject)
	if knows(kind) {
		if want := subject(kind, e); a.subject != want {
			return bad("the subject "+want, a.subject, nil)
		}
		if entryStream[kind] != a.kind {
			return bad("a known subject", a.subject, nil)
		}
	}
	return l.merge(a.region, kind, e)
}

// kindOf is the kind of entry of a subject.
func kindOf(subject string) merge.EntryKind {
	kind, _, _ := strings.Cut(subject, ".")
	return merge.EntryKind(kind)
}

// entryWrite is the write of an entry that is kept until then; zero: forever.
func entryWrite(kind merge.EntryKind, e merge.Entry, until time.Time) write {
	return write{kind: entryStream[kind], subject: subject(kind, e), body: e, until: until}
}

// record writes an entry to this Region's own stream and then takes it in. An entry
// that ends sessions is taken in first: see end.
func (n *Node) record(ctx context.Context, kind merge.EntryKind, e merge.Entry, until time.Time) error {
	if kind.Ends() {
		return n.end(ctx, kind, e, until)
	}
	if _, err := n.publish(ctx, entryWrite(kind, e, until)); err != nil {
		return err
	}
	return n.ledger.merge(n.cfg.Region, kind, e)
}
