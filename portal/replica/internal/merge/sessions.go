package merge

import (
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// Sessions is what is known of all Regions' sessions. What it takes in
// commutes: sessions and what ends them come from different streams, and the
// order in which they arrive, or how often, makes no difference.
type Sessions struct {
	region   string // that knows this
	primary  string
	also     []EntryKind // kinds of a later version, in its tests
	sessions map[place]*held
	regions  []string                               // that have, or had, sessions; sorted
	byUser   map[string]map[place]struct{}          // by user ID
	ended    map[string]time.Time                   // by key, until when to remember
	revoked  map[pair]time.Time                     // by user ID and session ID
	signIns  map[pair]time.Time                     // by user ID and sign-in
	logouts  map[sessions.Subject][]sessions.Logout // by the subject's key
	epochs   map[string]map[string]uint64           // by user ID; one that is here never changes
	codes    map[string]Code                        // by key
	early    map[string]time.Time                   // by key: ended here alone, see Foresee; until when to remember
	unread   map[unread]time.Time                   // until when it matters; zero: for good

	departures departures
	doubted    map[string]bool // Regions: see Doubt
}

type pair struct{ user, id string }

// A place is where a session is kept. Each Region has keys of its own: what one
// says under a key of another's is about something else.
type place struct{ region, key string }

// held is a session as it came, with how far Seen has moved since.
type held struct {
	Session
	written time.Time // the Seen that was written last, by this Region
}

// NewSessions returns what a Region knows that has heard of nothing. A later
// version knows other kinds, too.
func NewSessions(region, primary string, also ...EntryKind) *Sessions {
	return &Sessions{
		region: region, primary: primary, also: also, unread: map[unread]time.Time{}, sessions: map[place]*held{}, byUser: map[string]map[place]struct{}{},
		ended: map[string]time.Time{}, revoked: map[pair]time.Time{}, signIns: map[pair]time.Time{},
		logouts: map[sessions.Subject][]sessions.Logout{},
		epochs:  map[string]map[string]uint64{}, codes: map[string]Code{}, early: map[string]time.Time{},
		departures: newDepartures(), doubted: map[string]bool{},
	}
}

// create takes a session in that lives in the Region that says so. Keys are
// never used twice; should a Region do so, the later session counts, everywhere.
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
	places := s.byUser[v.UserID]
	if places == nil {
		places = map[place]struct{}{}
		s.byUser[v.UserID] = places
	}
	places[at] = struct{}{}
}

// drop forgets a session.
func (s *Sessions) drop(at place, h *held) {
	delete(s.sessions, at)
	delete(s.byUser[h.UserID], at)
	if len(s.byUser[h.UserID]) == 0 {
		delete(s.byUser, h.UserID)
	}
}

// find returns the session under a key: this Region's, if it has one.
func (s *Sessions) find(key string) (*held, bool) {
	if h, ok := s.sessions[place{s.region, key}]; ok {
		return h, true
	}
	for _, region := range s.regions {
		if h, ok := s.sessions[place{region, key}]; ok {
			return h, true
		}
	}
	return nil, false
}

// Get returns a session that nothing has ended.
func (s *Sessions) Get(key string) (Session, bool) {
	h, ok := s.find(key)
	if !ok || s.over(key, h) {
		return Session{}, false
	}
	return h.Session, true
}

// Touch moves Seen of a session that lives in this Region, and says whether it
// has moved far enough to be written.
func (s *Sessions) Touch(key string, seen time.Time, every time.Duration) (v Session, due, ok bool) {
	h, ok := s.sessions[place{s.region, key}]
	if !ok || s.over(key, h) {
		return Session{}, false, false
	}
	if seen.After(h.Seen) {
		h.Seen = seen
	}
	due = h.Seen.Sub(h.written) >= every
	if due {
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

// Count is how many sessions nothing has ended, by the Region that they live in.
func (s *Sessions) Count() map[string]int {
	out := make(map[string]int, len(s.regions))
	for _, region := range s.regions {
		out[region] = 0
	}
	for at, h := range s.sessions {
		if !s.over(at.key, h) {
			out[at.region]++
		}
	}
	return out
}

// Epoch returns a copy of a user's epoch, for sessions that are to be made.
func (s *Sessions) Epoch(user string) map[string]uint64 {
	out := make(map[string]uint64, len(s.epochs[user]))
	maps.Copy(out, s.epochs[user])
	return out
}

// SignedOut is until when it is remembered that a sign-in ended; zero: it isn't
// known to have.
func (s *Sessions) SignedOut(user, signIn string) time.Time { return s.signIns[pair{user, signIn}] }

// Code returns the code under a key, whether or not it has expired.
func (s *Sessions) Code(key string) (Code, bool) {
	c, ok := s.codes[key]
	return c, ok
}
