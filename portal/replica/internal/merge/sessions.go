package merge

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// Sessions is what is known of all Regions' sessions. Sessions and what ends them
// come from different streams. The order in which they arrive, or how often, makes
// no difference.
type Sessions struct {
	region   string // that knows this
	primary  string
	also     []EntryKind // kinds of a later version, in its tests
	sessions map[place]*held
	regions  []string                               // that have, or had, sessions; sorted
	byUser   map[string]map[place]struct{}          // by user ID
	ends     map[end]time.Time                      // until when to remember
	logouts  map[sessions.Subject][]sessions.Logout // by the subject's key
	epochs   map[string]map[string]uint64           // by user ID; an inner map never changes
	codes    map[string]Code                        // by key
	// shortcuts are by user ID and then by the Region that wrote them.
	shortcuts map[string]map[string]written
	unread    map[unread]time.Time // until when it matters; zero: for good

	departures departures
	doubted    map[string]bool // Regions: see Doubt
	since      time.Time       // see Since
}

// An end is what ends sessions, by the entry that says so: one session by its key or
// its ID, or all of a sign-in. user is the user's ID, and "" where id is a key.
type end struct {
	kind     EntryKind
	user, id string
}

// foreseen is the kind of an end in this Region alone: see Foresee.
const foreseen EntryKind = "foreseen"

// endsOf returns the ends that can end a session.
func endsOf(key string, v Session) [4]end {
	return [4]end{
		{EntryEnded, "", key}, {foreseen, "", key}, {EntryRevoked, v.UserID, v.ID}, {EntrySignedOut, v.UserID, v.SignIn},
	}
}

// A place is where a session is kept. Each Region has keys of its own: an entry of
// one Region never concerns a session of another Region with the same key.
type place struct{ region, key string }

// held is a session as it arrived, but for its Seen, which moves.
type held struct {
	Session
	written time.Time // the Seen that was written last, by this Region
}

// NewSessions returns what a Region knows before anything has arrived. A later
// version knows other kinds, too.
func NewSessions(region, primary string, also ...EntryKind) *Sessions {
	return &Sessions{
		region: region, primary: primary, also: also,
		sessions: map[place]*held{}, byUser: map[string]map[place]struct{}{}, ends: map[end]time.Time{},
		logouts: map[sessions.Subject][]sessions.Logout{}, epochs: map[string]map[string]uint64{},
		codes: map[string]Code{}, shortcuts: map[string]map[string]written{},
		unread: map[unread]time.Time{}, doubted: map[string]bool{},
		departures: departures{removed: map[string]uint64{}, listed: map[string]uint64{}, over: map[string]uint64{}},
	}
}

// create adds a session of the Region that says so. Keys are never used twice. If a
// Region does so all the same, the later session counts, everywhere.
func (s *Sessions) create(key string, v Session) {
	at := place{v.Region, key}
	if s.departures.void(v.Region, v.Created) {
		return
	}
	if old, ok := s.sessions[at]; ok {
		if !replaces(v, old.Session) {
			return
		}
		s.drop(at, old)
	}
	s.sessions[at] = &held{v, v.Seen}
	if i, known := slices.BinarySearch(s.regions, v.Region); !known {
		s.regions = slices.Insert(s.regions, i, v.Region)
	}
	if s.byUser[v.UserID] == nil {
		s.byUser[v.UserID] = map[place]struct{}{}
	}
	s.byUser[v.UserID][at] = struct{}{}
}

// drop forgets a session.
func (s *Sessions) drop(at place, h *held) {
	delete(s.sessions, at)
	delete(s.byUser[h.UserID], at)
	if len(s.byUser[h.UserID]) == 0 {
		delete(s.byUser, h.UserID)
	}
}

// Get returns a session that nothing has ended: this Region's, if it has one under
// that key.
func (s *Sessions) Get(key string) (Session, bool) {
	h, ok := s.sessions[place{s.region, key}]
	for i := 0; !ok && i < len(s.regions); i++ {
		h, ok = s.sessions[place{s.regions[i], key}]
	}
	if !ok || s.over(key, h) {
		return Session{}, false
	}
	return h.Session, true
}

// Touch moves Seen of a session of this Region. due says whether it has moved far
// enough to be written.
func (s *Sessions) Touch(key string, seen time.Time, every time.Duration) (v Session, due, ok bool) {
	h, ok := s.sessions[place{s.region, key}]
	if !ok || s.over(key, h) {
		return Session{}, false, false
	}
	if seen.After(h.Seen) {
		h.Seen = seen
	}
	if due = h.Seen.Sub(h.written) >= every; due {
		h.written = h.Seen
	}
	return h.Session, due, true
}

// List returns a user's sessions that nothing has ended, in no order.
func (s *Sessions) List(user string) (out []Session) {
	for at := range s.byUser[user] {
		if h := s.sessions[at]; !s.over(at.key, h) {
			out = append(out, h.Session)
		}
	}
	return out
}

// Count returns how many sessions nothing has ended, by their Region.
func (s *Sessions) Count() map[string]int {
	out := make(map[string]int, len(s.regions))
	for _, region := range s.regions {
		out[region] = 0
	}
	for at, h := range s.sessions {
		if !s.ended(at.key, h) {
			out[at.region]++
		}
	}
	return out
}

// EndedBy returns the sessions that nothing has ended yet and that a logout ends, in
// no order. Sign-ins wait for it.
func (s *Sessions) EndedBy(l sessions.Logout) (out []Session) {
	for at, h := range s.sessions {
		if l.Ends(h.Session) && !s.over(at.key, h) {
			out = append(out, h.Session)
		}
	}
	return out
}

// Epoch returns a copy of a user's epoch, for new sessions. It covers what this Region had counted before Since, which
// other Regions may remember: a count is at least the time in seconds, and the directory's is a stamp.
func (s *Sessions) Epoch(user string) map[string]uint64 {
	out := make(map[string]uint64, len(s.epochs[user]))
	maps.Copy(out, s.epochs[user])
	if s.since.IsZero() {
		return out
	}
	out[s.region] = max(out[s.region], uint64(s.since.Unix()))
	if s.region == s.primary {
		directory := s.region + "/directory"
		out[directory] = max(out[directory], uint64(s.since.UnixMicro()))
	}
	return out
}

// SignedOut returns until when to remember that a sign-in ended. Zero: it is not
// known to have ended.
func (s *Sessions) SignedOut(user, signIn string) time.Time {
	return s.ends[end{EntrySignedOut, user, signIn}]
}

// Code returns the code under a key, whether or not it has expired.
func (s *Sessions) Code(key string) (Code, bool) {
	c, ok := s.codes[key]
	return c, ok
}

// Doubt notes whether what is known of a Region's sessions may be older than what
// was known before, so that some of them may have ended. Meanwhile none of them
// counts.
func (s *Sessions) Doubt(region string, doubted bool) {
	if s.doubted[region] = doubted; !doubted {
		delete(s.doubted, region)
	}
}

// Facts returns what is known of sessions and of what ended them, in no order. When a
// session was last seen is not in it, as each Region has its own; nor are codes. The
// result may be read while Sessions changes.
func (s *Sessions) Facts() (out []Fact) {
	fact := func(key string, until time.Time, value any) {
		out = append(out, Fact{Key: key, Until: until, Value: value, Ends: true})
	}
	for at, h := range s.sessions {
		v := h.Session
		v.Seen = time.Time{}
		out = append(out, Fact{Key: "session " + at.region + " " + at.key, Until: v.Expires,
			Value: []any{v, s.ended(at.key, h)}, Void: s.void(h)})
	}
	for e, until := range s.ends {
		switch e.kind {
		case EntryEnded:
			fact("ended "+e.id, until, until)
		case EntryRevoked:
			fact(fmt.Sprintf("revoked %q %q", e.user, e.id), until, until)
		case EntrySignedOut:
			fact(fmt.Sprintf("signed out %q %q", e.user, e.id), until, until)
		}
	}
	for _, all := range s.logouts {
		for _, l := range all {
			until := l.Until
			l.Until = time.Time{}
			b, _ := json.Marshal(l) // it was decoded from JSON
			fact("logout "+string(b), until, until)
		}
	}
	for user, by := range s.shortcuts {
		for region, w := range by {
			out = append(out,
				Fact{Key: fmt.Sprintf("shortcuts %s %q", region, user), Until: w.until, Value: []any{w.at, w.list}})
		}
	}
	for user, e := range s.epochs {
		now := maps.Clone(e)
		for component, n := range e {
			if s.departures.erased(component, n) {
				fact(fmt.Sprintf("erased epoch %q of %s", user, component), time.Time{}, n)
				delete(now, component)
			}
		}
		if len(now) > 0 {
			fact(fmt.Sprintf("epoch %q", user), time.Time{}, now)
		}
	}
	return out
}

// Erased returns the time up to which this Region may lack what it had ended: that of its removal, if it was added
// again, or that of Since. Zero: it lacks nothing.
func (s *Sessions) Erased() time.Time {
	at := s.since
	if stamp, ok := s.departures.removed[s.region]; ok && !s.departures.gone(s.region) {
		if removed := time.UnixMicro(int64(stamp)); removed.After(at) {
			at = removed
		}
	}
	return at
}
