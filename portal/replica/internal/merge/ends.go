package merge

import (
	"encoding/json"
	"maps"
	"time"
)

// over says whether anything that is known ends the session.
func (s *Sessions) over(key string, h *held) bool {
	_, ended := s.ended[key]
	_, early := s.early[key]
	_, revoked := s.revoked[pair{h.UserID, h.ID}]
	_, out := s.signIns[pair{h.UserID, h.SignIn}]
	return ended || early || revoked || out || s.loggedOut(h.Session) || s.departures.gone(h.Region) || s.doubted[h.Region] || s.unreadEnds(h.Created) || !s.covers(h.Epoch, s.epochs[h.UserID])
}

// covers says whether a session made under one epoch outlives what another
// counts: whether every component is at least as high. Those that removed
// Regions counted are over some time later.
func (s *Sessions) covers(epoch, known map[string]uint64) bool {
	for component, n := range known {
		if epoch[component] < n && n > s.departures.over[component] {
			return false
		}
	}
	return true
}

// raise moves a component of a user's epoch up to at least v. Epochs that were
// handed out don't change.
func (s *Sessions) raise(user, component string, v uint64) {
	if s.epochs[user][component] >= v {
		return
	}
	e := make(map[string]uint64, len(s.epochs[user])+1)
	maps.Copy(e, s.epochs[user])
	e[component] = v
	s.epochs[user] = e
}

// Enforce ends the sessions of users that a transaction of the primary's log
// disables or removes. Other Regions' logs can't. The directory's component of
// a user's epoch is its own, as it is counted by the primary's log and raised
// with the change itself, in one write.
func (s *Sessions) Enforce(region string, t Transaction) {
	if region != s.primary {
		return
	}
	s.depart(t)
	for _, r := range t.Records {
		var stamp uint64
		if r.Kind == KindEnded && json.Unmarshal(r.Value, &stamp) == nil {
			s.raise(r.Key, region+"/directory", stamp)
		}
	}
}

// later keeps the later of two instants under a key.
func later[K comparable](m map[K]time.Time, k K, until time.Time) {
	if until.After(m[k]) {
		m[k] = until
	}
}

// Sweep forgets what can't be needed any more: sessions that ended long enough
// ago that no clock takes them for alive, and what ended them. Sessions go
// first: none may come back because what ended it was forgotten.
func (s *Sessions) Sweep(now time.Time, skew time.Duration) {
	past := now.Add(-skew)
	for at, h := range s.sessions {
		forgotten := gone(s.ended, at.key, past) || gone(s.revoked, pair{h.UserID, h.ID}, past) || gone(s.signIns, pair{h.UserID, h.SignIn}, past) ||
			s.logoutGone(h.Session, past)
		if forgotten || h.Expires.Before(past) {
			s.drop(at, h)
		}
	}
	forget(s.ended, past)
	forget(s.early, past)
	forget(s.revoked, past)
	forget(s.signIns, past)
	s.forgetLogouts(past)
	s.forgetUnread(past)
	for key, c := range s.codes {
		if c.Until.Before(past) {
			delete(s.codes, key)
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
