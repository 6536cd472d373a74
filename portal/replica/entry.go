package replica

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// What begins the subject of a message about sessions says what it is.
const (
	subjectSession = "session"  // in sessions: a session that was made
	subjectSeen    = "seen"     // in sessions: when it was last used, in this Region
	subjectEnded   = "ended"    // in sessions: it is over, by age or idleness
	subjectCode    = "code"     // in sessions: a code that hands over a sign-in
	subjectTaken   = "taken"    // in sessions: a code was used in this Region
	subjectID      = "id"       // in revoked: one session, by its ID
	subjectSignIn  = "signin"   // in revoked: all sessions of a sign-in
	subjectUser    = "everyone" // in revoked: all sessions of a user
)

// An entry is the body of a message about sessions. Which fields it has is
// said by its subject.
type entry struct {
	Key     string          `json:"key,omitempty"`
	Session *portal.Session `json:"session,omitempty"`
	Seen    time.Time       `json:"seen,omitzero"`
	Until   time.Time       `json:"until,omitzero"`
	Value   []byte          `json:"value,omitempty"`
	User    string          `json:"user,omitempty"`
	ID      string          `json:"id,omitempty"` // of a session or a sign-in
	Epoch   uint64          `json:"epoch,omitempty"`
}

// about is the subject of a message. It is bound to what the body says it is
// about, so a message that got under another subject is worth nothing there.
func about(kind string, parts ...string) string {
	return kind + "." + token(append([]string{kind}, parts...)...)
}

func (e entry) subject(kind string) string {
	switch kind {
	case subjectID, subjectSignIn:
		return about(kind, e.User, e.ID)
	case subjectUser:
		return about(kind, e.User)
	}
	return about(kind, e.Key)
}

// take folds a message into the ledger. A Region speaks for itself: it makes
// and touches sessions that live there, and counts its own part of epochs. It
// may end any session.
func (l *ledger) take(a arrival) error {
	var e entry
	if err := json.Unmarshal(a.body, &e); err != nil {
		return &Error{Reason: ReasonCorrupt, What: "message about sessions", Want: "JSON", Err: err}
	}
	kind, _, _ := strings.Cut(a.subject, ".")
	switch {
	case a.subject != e.subject(kind):
		return &Error{Reason: ReasonCorrupt, What: "message about sessions", Want: "the subject " + e.subject(kind), Got: a.subject}
	case a.line == sessions && kind == subjectSession && e.Session != nil:
		if e.Session.Region != a.region {
			return &Error{Reason: ReasonCorrupt, What: "session of Region " + a.region, Want: "one that lives there", Got: e.Session.Region}
		}
		l.create(e.Key, *e.Session)
	case a.line == sessions && kind == subjectSeen:
		l.touch(place{a.region, e.Key}, e.Seen)
	case a.line == sessions && kind == subjectEnded:
		l.end(e.Key, e.Until)
	case a.line == sessions && kind == subjectCode:
		l.putCode(a.region, e.Key, e.Value, e.Until)
	case a.line == sessions && kind == subjectTaken:
	case a.line == revoked && kind == subjectID:
		l.revoke(e.User, e.ID, e.Until)
	case a.line == revoked && kind == subjectSignIn:
		l.endSignIn(e.User, e.ID, e.Until)
	case a.line == revoked && kind == subjectUser:
		l.raise(e.User, a.region, e.Epoch)
	default:
		return &Error{Reason: ReasonCorrupt, What: "message about sessions", Want: "a known subject", Got: a.subject}
	}
	return nil
}
