package replica

import (
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// A ledger is what is known of all Regions' sessions. What it takes in
// commutes: sessions and what ends them come from different streams, and the
// order in which they arrive, or how often, makes no difference.
type ledger struct {
	mu       sync.RWMutex
	sessions map[string]*held               // by key
	byUser   map[string]map[string]struct{} // user ID to keys
	ended    map[string]time.Time           // by key, until when to remember
	revoked  map[pair]time.Time             // by user ID and session ID
	signIns  map[pair]time.Time             // by user ID and sign-in
	epochs   map[string]portal.Epoch        // by user ID
	codes    map[string]heldCode            // by key
	codeCame chan struct{}                  // closed when a code arrives
}

type pair struct{ user, id string }

// held is a session as it came, with how far Seen has moved since.
type held struct {
	portal.Session
	written time.Time // the Seen that was written last, by this Node
}

type heldCode struct {
	value []byte
	until time.Time
}

func newLedger() *ledger {
	return &ledger{
		sessions: map[string]*held{}, byUser: map[string]map[string]struct{}{}, ended: map[string]time.Time{},
		revoked: map[pair]time.Time{}, signIns: map[pair]time.Time{}, epochs: map[string]portal.Epoch{},
		codes: map[string]heldCode{}, codeCame: make(chan struct{}),
	}
}

// create takes a session in. Keys are never used twice; should one be, the
// later session counts, in every Region.
func (l *ledger) create(key string, s portal.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old, ok := l.sessions[key]; ok {
		if newer := s.Created.After(old.Created) || s.Created.Equal(old.Created) && s.ID > old.ID; !newer {
			return
		}
		l.drop(key, old)
	}
	l.sessions[key] = &held{s, s.Seen}
	keys := l.byUser[s.UserID]
	if keys == nil {
		keys = map[string]struct{}{}
		l.byUser[s.UserID] = keys
	}
	keys[key] = struct{}{}
}

// drop removes a session from memory. The caller holds mu.
func (l *ledger) drop(key string, h *held) {
	delete(l.sessions, key)
	delete(l.byUser[h.UserID], key)
	if len(l.byUser[h.UserID]) == 0 {
		delete(l.byUser, h.UserID)
	}
}

// touch moves Seen forward.
func (l *ledger) touch(key string, seen time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, ok := l.sessions[key]; ok && seen.After(h.Seen) {
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
	h, ok := l.sessions[key]
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
	for key := range l.byUser[user] {
		if h := l.sessions[key]; !l.over(key, h) {
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
// enough ago that no clock takes them for alive, and what ended them.
func (l *ledger) sweep(now time.Time, skew time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	past := now.Add(-skew)
	for key, h := range l.sessions {
		if h.Expires.Before(past) {
			l.drop(key, h)
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

func forget[K comparable](m map[K]time.Time, past time.Time) {
	for k, until := range m {
		if until.Before(past) {
			delete(m, k)
		}
	}
}
