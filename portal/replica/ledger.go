package replica

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A ledger guards the state of all Regions' sessions, and wakes callers that wait for a code.
type ledger struct {
	mu     sync.RWMutex
	known  *merge.Sessions
	came   chan struct{}     // closed when a code arrives
	closed bool              // no entry is applied any more
	raised map[string]uint64 // counts of epochs, by user, that are not on disk: see durableEpoch
	names  []byte            // the key of its subjects: see newNames. Set before anything is read; nil: not sealed

	codeWaits atomic.Int32 // how many callers wait for a code
}

func newLedger(region, primary string, also ...merge.EntryKind) *ledger {
	return &ledger{known: merge.NewSessions(region, primary, also...), came: make(chan struct{}),
		raised: map[string]uint64{}}
}

// read calls f, which must only read. Sign-ins wait meanwhile.
func (l *ledger) read(f func(*merge.Sessions)) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	f(l.known)
}

// update calls f, unless the ledger is closed.
func (l *ledger) update(f func(*merge.Sessions)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		f(l.known)
	}
}

// merge applies an entry of a Region's streams.
func (l *ledger) merge(region string, kind merge.EntryKind, e merge.Entry) (err error) {
	l.update(func(s *merge.Sessions) {
		if err = s.Take(region, kind, e); err != nil {
			err = mergeError(ReasonCorrupt, err)
		} else if kind == merge.EntryCode {
			close(l.came)
			l.came = make(chan struct{})
		}
	})
	return err
}

// code returns the code under a key, and a channel that is closed when another arrives.
func (l *ledger) code(key string) (c merge.Code, ok bool, came <-chan struct{}) {
	l.read(func(s *merge.Sessions) { c, ok = s.Code(key); came = l.came })
	return c, ok, came
}

// close drops everything, permanently.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.known = true, merge.NewSessions("", "")
}

// entryStream is the stream of each kind of entry. Other kinds are unknown.
var entryStream = map[merge.EntryKind]streamKind{
	merge.EntrySession:   kindSessions,
	merge.EntrySeen:      kindSessions,
	merge.EntryEnded:     kindSessions,
	merge.EntryCode:      kindSessions,
	merge.EntryTaken:     kindSessions,
	merge.EntryProbe:     kindSessions,
	merge.EntryShortcuts: kindSessions,
	merge.EntryRevoked:   kindRevoked,
	merge.EntrySignedOut: kindRevoked,
	merge.EntryUser:      kindRevoked,
	merge.EntryLogout:    kindRevoked,
}

// subject is the subject of an entry in this Region's stream.
func (n *Node) subject(kind merge.EntryKind, e merge.Entry) string {
	return subject(n.ledger.names, kind, e)
}

// subject is the subject of an entry in its stream. names is the key of the subjects of the stream's Region, if they
// have one. Keys of sessions and codes are hashes of secrets already.
func subject(names []byte, kind merge.EntryKind, e merge.Entry) string {
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
	case merge.EntryUser, merge.EntryShortcuts:
		about = []string{string(kind), e.User}
	}
	if names != nil && namesUser(kind) {
		return string(kind) + "." + keyedToken(names, about...)
	}
	return string(kind) + "." + token(about...)
}

// namesUser reports whether the subject of a kind of entry is made of a user's ID or name, which can be guessed.
func namesUser(kind merge.EntryKind) bool {
	return entryStream[kind] == kindRevoked || kind == merge.EntryShortcuts
}

// knows reports whether this version knows a kind of entry and its subject.
func knows(kind merge.EntryKind) bool { return entryStream[kind] != "" }

// take applies a message about sessions, if its subject is right.
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
		if want, ok := wanted(a, kind, e); ok && a.subject != want {
			return bad("the subject "+want, a.subject, nil)
		}
		if entryStream[kind] != a.kind {
			return bad("a known subject", a.subject, nil)
		}
	}
	return l.merge(a.region, kind, e)
}

// wanted returns the subject that a message must have, or false if only the Region that wrote it can tell. It may have
// lost the key of its subjects since.
func wanted(a arrival, kind merge.EntryKind, e merge.Entry) (string, bool) {
	return subject(nil, kind, e), !a.sealed || !namesUser(kind)
}

// kindOf is the kind of entry of a subject.
func kindOf(subject string) merge.EntryKind {
	kind, _, _ := strings.Cut(subject, ".")
	return merge.EntryKind(kind)
}

// entryWrite is the write of an entry that is kept until then; zero: forever.
func (n *Node) entryWrite(kind merge.EntryKind, e merge.Entry, until time.Time) write {
	return write{kind: entryStream[kind], subject: n.subject(kind, e), body: e, until: until}
}

// record writes an entry to this Region's own stream and then applies it. If the entry ends sessions, it is applied
// first: see end.
func (n *Node) record(ctx context.Context, kind merge.EntryKind, e merge.Entry, until time.Time) error {
	if kind.Ends() {
		return n.end(ctx, kind, e, until)
	}
	if _, err := n.publish(ctx, n.entryWrite(kind, e, until)); err != nil {
		return err
	}
	return n.ledger.merge(n.cfg.Region, kind, e)
}
