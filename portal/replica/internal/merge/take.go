package merge

import (
	"fmt"
	"math"
	"slices"
)

// MaxEpoch is the highest count of an epoch. Counts are about the time in seconds;
// one that could not be raised would end no session any more.
const MaxEpoch = math.MaxInt64

// Take takes an entry of a Region's streams in. A Region speaks for itself: it
// makes and touches sessions that live there, and counts its own component of
// epochs. It may end any session. What it may not say is refused with an
// *Error, and changes nothing.
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
		later(s.ended, e.Key, e.Until)
	case kind == EntryCode:
		if _, ok := s.codes[e.Key]; !ok && !s.departures.gone(region) { // see the package's documentation
			s.codes[e.Key] = Code{region, e.Value, e.Until}
		}
	case kind == EntryTaken: // counts in the Region's own server alone
	case kind == EntryProbe: // says nothing
	case kind == EntryRevoked:
		later(s.revoked, pair{e.User, e.ID}, e.Until)
	case kind == EntrySignedOut:
		later(s.signIns, pair{e.User, e.ID}, e.Until)
	case kind == EntryLogout && e.Logout != nil:
		s.logOut(*e.Logout)
	case kind == EntryUser && e.Epoch > MaxEpoch:
		return &Error{Rule: "epoch of a user", Want: "one that can be raised", Got: fmt.Sprint(e.Epoch)}
	case kind == EntryUser:
		s.raise(e.User, region, e.Epoch)
	case !s.knows(kind):
		s.strange(region, kind, e)
	case slices.Contains(s.also, kind):
	default:
		return &Error{Rule: "message about sessions", Want: "the fields of its kind", Got: string(kind)}
	}
	return nil
}
