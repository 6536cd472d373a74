package replica

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// A ledger is what is known of all Regions' sessions. What it takes in
// commutes: sessions and what ends them come from different streams, and the
// order in which they arrive, or how often, makes no difference.
type ledger struct {
	region   string // whose ledger it is
	mu       sync.RWMutex
	sessions map[place]*held
	regions  []string                      // that have, or had, sessions; sorted
	byUser   map[string]map[place]struct{} // by user ID
	ended    map[string]time.Time          // by key, until when to remember
	revoked  map[pair]time.Time            // by user ID and session ID
	signIns  map[pair]time.Time            // by user ID and sign-in
	epochs   map[string]portal.Epoch       // by user ID
	codes    map[string]heldCode           // by key
	codeCame chan struct{}                 // closed when a code arrives

	codeWaits atomic.Int32 // how many wait for one
}

type pair struct{ user, id string }

// A place is where a session is kept. Each Region has keys of its own: what one
// says under a key of another's is about something else.
type place struct{ region, key string }

// held is a session as it came, with how far Seen has moved since.
type held struct {
	portal.Session
	written time.Time // the Seen that was written last, by this Node
}

type heldCode struct {
	region string // that put it
	value  []byte
	until  time.Time
}

func newLedger(region string) *ledger {
	return &ledger{
		region: region, sessions: map[place]*held{}, byUser: map[string]map[place]struct{}{}, ended: map[string]time.Time{},
		revoked: map[pair]time.Time{}, signIns: map[pair]time.Time{}, epochs: map[string]portal.Epoch{},
		codes: map[string]heldCode{}, codeCame: make(chan struct{}),
	}
}

// create takes a session in that lives in the Region that says so. Keys are
// never used twice; should a Region do so, the later session counts, everywhere.
func (l *ledger) create(key string, s portal.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := place{s.Region, key}
	if old, ok := l.sessions[at]; ok {
		if newer := s.Created.After(old.Created) || s.Created.Equal(old.Created) && s.ID > old.ID; !newer {
			return
		}
		l.drop(at, old)
	}
	l.sessions[at] = &held{s, s.Seen}
	if i, known := slices.BinarySearch(l.regions, s.Region); !known {
		l.regions = slices.Insert(l.regions, i, s.Region)
	}
	places := l.byUser[s.UserID]
	if places == nil {
		places = map[place]struct{}{}
		l.byUser[s.UserID] = places
	}
	places[at] = struct{}{}
}

// find returns the session under a key: this Region's, if it has one. The
// caller holds mu.
func (l *ledger) find(key string) (*held, bool) {
	if h, ok := l.sessions[place{l.region, key}]; ok {
		return h, true
	}
	for _, region := range l.regions {
		if h, ok := l.sessions[place{region, key}]; ok {
			return h, true
		}
	}
	return nil, false
}

// drop removes a session from memory. The caller holds mu.
func (l *ledger) drop(at place, h *held) {
	delete(l.sessions, at)
	delete(l.byUser[h.UserID], at)
	if len(l.byUser[h.UserID]) == 0 {
		delete(l.byUser, h.UserID)
	}
}

// touch moves Seen forward.
func (l *ledger) touch(at place, seen time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.sessions[at]; ok && seen.After(h.Seen) {
		h.Seen = seen
	}
}

// later keeps the later of two instants under a key.
func later[K comparable](m map[K]time.Time, k K, until time.Time) {
	if until.After(m[k]) {
		m[k] = until
	}
}

func (l *ledger) end(key string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	later(l.ended, key, until)
}

func (l *ledger) revoke(user, id string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	later(l.revoked, pair{user, id}, until)
}

func (l *ledger) endSignIn(user, signIn string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	later(l.signIns, pair{user, signIn}, until)
}

// raise moves a component of a user's epoch up to at least v. Epochs that were
// handed out don't change.
func (l *ledger) raise(user, component string, v uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.epochs[user]; e[component] < v {
		l.epochs[user] = e.Merge(portal.Epoch{component: v})
	}
}

// get returns a session that nothing has ended.
func (l *ledger) get(key string) (portal.Session, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	h, ok := l.find(key)
	if !ok || l.over(key, h) {
		return portal.Session{}, false
	}
	return h.Session, true
}

// over says whether anything that is known ends the session. The caller holds
// mu.
func (l *ledger) over(key string, h *held) bool {
	_, ended := l.ended[key]
	_, revoked := l.revoked[pair{h.UserID, h.ID}]
	_, out := l.signIns[pair{h.UserID, h.SignIn}]
	return ended || revoked || out || !h.Epoch.Covers(l.epochs[h.UserID])
}

// list returns a user's sessions that nothing has ended.
func (l *ledger) list(user string) (out []portal.Session) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for at := range l.byUser[user] {
		if h := l.sessions[at]; !l.over(at.key, h) {
			out = append(out, h.Session)
		}
	}
	return out
}

func (l *ledger) epoch(user string) portal.Epoch {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.epochs[user].Merge(nil)
}

// sweep forgets what no one can need any more: sessions that ended long
// enough ago that no clock takes them for alive, and what ended them. Sessions
// go first: none may come back because what ended it was forgotten.
func (l *ledger) sweep(now time.Time, skew time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	past := now.Add(-skew)
	for at, h := range l.sessions {
		forgotten := gone(l.ended, at.key, past) || gone(l.revoked, pair{h.UserID, h.ID}, past) || gone(l.signIns, pair{h.UserID, h.SignIn}, past)
		if forgotten || h.Expires.Before(past) {
			l.drop(at, h)
		}
	}
	forget(l.ended, past)
	forget(l.revoked, past)
	forget(l.signIns, past)
	for key, c := range l.codes {
		if c.until.Before(past) {
			delete(l.codes, key)
		}
	}
}

// gone says whether what is under k is about to be forgotten.
func gone[K comparable](m map[K]time.Time, k K, past time.Time) bool {
	until, ok := m[k]
	return ok && until.Before(past)
}

func forget[K comparable](m map[K]time.Time, past time.Time) {
	for k, until := range m {
		if until.Before(past) {
			delete(m, k)
		}
	}
}
