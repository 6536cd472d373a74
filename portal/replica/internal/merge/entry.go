package merge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// An EntryKind says what an Entry is about, and so which of its fields it has.
type EntryKind string

// The kinds of entry.
const (
	EntrySession   EntryKind = "session"  // a session that was made
	EntrySeen      EntryKind = "seen"     // when it was last used, in its Region
	EntryEnded     EntryKind = "ended"    // it is over, by age or idleness
	EntryCode      EntryKind = "code"     // a code that hands over a sign-in
	EntryTaken     EntryKind = "taken"    // a code was used in this Region
	EntryRevoked   EntryKind = "id"       // ends one session, by its ID
	EntrySignedOut EntryKind = "signin"   // ends all sessions of a sign-in
	EntryUser      EntryKind = "everyone" // ends all sessions of a user
	EntryLogout    EntryKind = "logout"   // ends what an identity provider ended
	EntryProbe     EntryKind = "probe"    // nothing: the stream takes writes
)

// An Entry is one message about sessions.
type Entry struct {
	Key     string           `json:"key,omitempty"`
	Session *Session         `json:"session,omitempty"`
	Seen    time.Time        `json:"seen,omitzero"`
	Until   time.Time        `json:"until,omitzero"` // when it may be forgotten
	Value   []byte           `json:"value,omitempty"`
	User    string           `json:"user,omitempty"`
	ID      string           `json:"id,omitempty"` // of a session or a sign-in
	Epoch   uint64           `json:"epoch,omitempty"`
	Logout  *sessions.Logout `json:"logout,omitempty"`
	// Optional says, of a kind that the reader doesn't know, that it may be
	// skipped: it ends nothing.
	Optional bool `json:"optional,omitempty"`
}

// A Session is one as it stands in a Region's streams, in JSON.
type Session = sessions.Session

// replaces says which of two sessions counts that a Region made under one key:
// the later one. Of two at the same instant it is the same one everywhere,
// whatever they differ in.
func replaces(s, old Session) bool {
	if c := cmp.Or(s.Created.Compare(old.Created), cmp.Compare(s.ID, old.ID)); c != 0 {
		return c > 0
	}
	return bytes.Compare(withoutSeen(s), withoutSeen(old)) > 0
}

// withoutSeen is the session as JSON, without what moves.
func withoutSeen(s Session) []byte {
	s.Seen = time.Time{}
	b, err := json.Marshal(s)
	if err != nil {
		return nil // it was JSON when it arrived
	}
	return b
}

// A Code is a code as its Region put it.
type Code struct {
	Region string
	Value  []byte
	Until  time.Time
}
