package merge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// An EntryKind says what an Entry is about, and so which of its fields it has.
type EntryKind string

// The kinds of entry.
const (
	EntrySession   EntryKind = "session"  // a new session
	EntrySeen      EntryKind = "seen"     // when it was last used, in its Region
	EntryEnded     EntryKind = "ended"    // it is over, by age or idleness
	EntryCode      EntryKind = "code"     // a code that hands over a sign-in
	EntryTaken     EntryKind = "taken"    // a code was used in this Region
	EntryRevoked   EntryKind = "id"       // ends one session, by its ID
	EntrySignedOut EntryKind = "signin"   // ends all sessions of a sign-in
	EntryUser      EntryKind = "everyone" // ends all sessions of a user
	EntryLogout    EntryKind = "logout"   // ends what an identity provider ended
	EntryProbe     EntryKind = "probe"    // nothing: the stream takes writes
	// EntryShortcuts is what a Region wrote of a user's recent and favorite targets. An
	// older version may skip it.
	EntryShortcuts EntryKind = "shortcuts"
)

// Ends says whether an entry of this kind can do nothing but end sessions.
func (k EntryKind) Ends() bool {
	return k == EntryEnded || k == EntryRevoked || k == EntrySignedOut || k == EntryUser || k == EntryLogout
}

// An Entry is one message about sessions.
type Entry struct {
	Key     string           `json:"key,omitempty"`
	Session *Session         `json:"session,omitempty"`
	Seen    time.Time        `json:"seen,omitzero"`  // of shortcuts: when the list was written
	Until   time.Time        `json:"until,omitzero"` // when it may be forgotten
	Value   []byte           `json:"value,omitempty"`
	User    string           `json:"user,omitempty"`
	ID      string           `json:"id,omitempty"` // of a session or a sign-in
	Epoch   uint64           `json:"epoch,omitempty"`
	Logout  *sessions.Logout `json:"logout,omitempty"`
	// Shortcuts is a user's whole list, which may be empty.
	Shortcuts *shortcuts.List `json:"shortcuts,omitempty"`
	// Optional says that a reader that doesn't know the kind may skip the entry: it
	// ends nothing.
	Optional bool `json:"optional,omitempty"`
}

// A Session is a session in a Region's streams, in JSON.
type Session = sessions.Session

// A Code is a code as its Region put it.
type Code struct {
	Region string
	Value  []byte
	Until  time.Time
}

// MaxEpoch is the highest count of an epoch. Counts are about the time in seconds. A
// count that could not be raised would end no session any more.
const MaxEpoch = math.MaxInt64

// Take takes in an entry of a Region's streams. A Region makes and touches sessions
// of its own, and counts its own component of epochs. It may end any session. What it
// may not say is refused with an *Error, and changes nothing.
func (s *Sessions) Take(region string, kind EntryKind, e Entry) error {
	switch {
	case kind == EntrySession && e.Session != nil:
		if e.Session.Region != region {
			return &Error{Rule: "session of Region " + region, Want: "one that lives there", Got: e.Session.Region}
		}
		s.create(e.Key, *e.Session)
	case kind == EntrySeen:
		if h, ok := s.sessions[place{region, e.Key}]; ok && e.Seen.After(h.Seen) {
			h.Seen = e.Seen
		}
	case kind == EntryEnded:
		s.end(end{kind, "", e.Key}, e.Until)
	case kind == EntryCode:
		if _, ok := s.codes[e.Key]; !ok && !s.departures.gone(region) { // see the package's documentation
			s.codes[e.Key] = Code{region, e.Value, e.Until}
		}
	case kind == EntryShortcuts && e.Shortcuts != nil && e.User != "":
		s.takeShortcuts(region, e)
	case kind == EntryTaken, kind == EntryProbe: // count only in the Region's own server
	case kind == EntryRevoked, kind == EntrySignedOut:
		s.end(end{kind, e.User, e.ID}, e.Until)
	case kind == EntryLogout && e.Logout != nil:
		key := e.Logout.Subject.Key()
		s.logouts[key] = sessions.AddLogout(s.logouts[key], *e.Logout)
	case kind == EntryUser && e.Epoch > MaxEpoch:
		return &Error{Rule: "epoch of a user", Want: "one that can be raised", Got: fmt.Sprint(e.Epoch)}
	case kind == EntryUser:
		s.raise(e.User, region, e.Epoch)
	case !s.knows(kind) && !e.Optional:
		s.Miss(region, "entries of kind "+refusal.Quote(string(kind)), e.Until)
	case !s.knows(kind), slices.Contains(s.also, kind):
	default:
		return &Error{Rule: "message about sessions", Want: "the fields of its kind", Got: string(kind)}
	}
	return nil
}

// Newer says whether a message of a Region's streams says more than another one about
// the same, and so replaces it under their subject.
func (e Entry) Newer(kind EntryKind, old Entry) bool {
	switch kind {
	case EntrySession:
		return e.Session != nil && (old.Session == nil || replaces(*e.Session, *old.Session))
	case EntrySeen:
		return e.Seen.After(old.Seen)
	case EntryShortcuts:
		return e.Shortcuts != nil && (old.Shortcuts == nil || laterList(writtenBy(e), writtenBy(old)))
	case EntryUser:
		return e.Epoch > old.Epoch
	default:
		return e.Until.After(old.Until)
	}
}

// replaces says which of two sessions counts that a Region made under one key: the
// later one. Of two at the same instant it is the same one everywhere, whatever the
// difference.
func replaces(s, old Session) bool {
	if c := cmp.Or(s.Created.Compare(old.Created), cmp.Compare(s.ID, old.ID)); c != 0 {
		return c > 0
	}
	s.Seen, old.Seen = time.Time{}, time.Time{} // which moves
	one, err := json.Marshal(s)
	two, err2 := json.Marshal(old)
	return err == nil && err2 == nil && bytes.Compare(one, two) > 0
}
