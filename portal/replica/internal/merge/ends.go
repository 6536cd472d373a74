package merge

import (
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// What ends access may take effect before it is durable: in the Region where it was
// asked for, while the write is pending or has failed, and in another Region, before
// it is copied there. That is safe because ends only grow, and taking one in twice is
// the same as taking it in once.

// end notes an end, to be remembered until the later of the instants given for it.
func (s *Sessions) end(e end, until time.Time) {
	if until.After(s.ends[e]) {
		s.ends[e] = until
	}
}

// over says whether the session doesn't count here: anything that is known ends it, or it is void.
func (s *Sessions) over(key string, h *held) bool {
	return s.void(h) || s.ended(key, h)
}

// void says whether this Region lets the session in in no case, because what had ended it may be erased or lost here:
// the Region was removed since it was made, and has been added again, or its data was put back: see Since.
func (s *Sessions) void(h *held) bool {
	return s.departures.void(s.region, h.Created) || h.Created.Before(s.since)
}

// Since notes that this Region may have lost what it had ended before an instant. So it lets in no session from before.
func (s *Sessions) Since(at time.Time) { s.since = at }

// ended says whether anything that is known ends the session.
func (s *Sessions) ended(key string, h *held) bool {
	for _, e := range endsOf(key, h.Session) {
		if _, ended := s.ends[e]; ended {
			return true
		}
	}
	return s.loggedOut(h.Session, nil) || s.departures.gone(h.Region) || s.doubted[h.Region] ||
		s.unreadEnds(h.Created) || !s.covers(h.Epoch, s.epochs[h.UserID])
}

// covers says whether a session made under one epoch outlives another one: whether
// every component is at least as high. Those of removed Regions expire some time
// after the removal.
func (s *Sessions) covers(epoch, known map[string]uint64) bool {
	for component, n := range known {
		if epoch[component] < n && n > s.departures.over[component] {
			return false
		}
	}
	return true
}

// loggedOut says whether an identity provider ended the session, by a logout that
// is to be forgotten before an instant; nil: by any.
func (s *Sessions) loggedOut(v Session, past *time.Time) bool {
	return len(s.logouts) > 0 && slices.ContainsFunc(s.logouts[v.Proof.Subject.Key()], func(l sessions.Logout) bool {
		return (past == nil || l.Until.Before(*past)) && l.Ends(v)
	})
}

// LoggedOut says whether an identity provider ended the session, which may be unknown here.
func (s *Sessions) LoggedOut(v Session) bool { return s.loggedOut(v, nil) }

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

// NextEpoch returns a count of a component of a user's epoch that ends every session that
// this Region knows of. It is at least least, and more than what is counted and what
// sessions carry, which may be a count that a restart has forgotten or a disk has lost.
// What another Region's sessions carry is ignored from plausibleEpoch on, so that no
// Region can use the counts up.
func (s *Sessions) NextEpoch(user, component string, least uint64) uint64 {
	next := max(least, s.epochs[user][component]+1)
	for at := range s.byUser[user] {
		if carried := s.sessions[at].Epoch[component]; at.region == s.region || carried < plausibleEpoch {
			next = max(next, carried+1)
		}
	}
	return next
}

// plausibleEpoch is above all counts of clocks that are right: the year 2242.
const plausibleEpoch = 1 << 33

// Enforce ends the sessions of users that a transaction of the primary's log disables,
// removes or moves. Other Regions' logs can't. The directory has a component of its own in a
// user's epoch, which is raised with the change, in one write.
func (s *Sessions) Enforce(region string, t Transaction) {
	if region != s.primary {
		return
	}
	s.depart(t)
	for _, r := range t.Records {
		if r.Kind == KindEnded {
			s.raise(r.Key, region+"/directory", stampIn(r.Value))
		}
	}
}

// Foresee ends the sessions of users whom a transaction of this Region's log will disable,
// remove or move, before it is written, in this Region alone. It ends only those that are
// known by now: if the transaction is never written, the user may sign in again.
func (s *Sessions) Foresee(region string, t Transaction) {
	if region != s.primary {
		return
	}
	for _, r := range t.Records {
		if r.Kind != KindEnded || r.WrittenIn(t) < t.Stamp { // repeated by a full transaction
			continue
		}
		for at := range s.byUser[r.Key] {
			s.end(end{foreseen, "", at.key}, s.sessions[at].Expires)
		}
	}
}

// Sweep forgets what can't be needed any more: sessions that ended so long ago that
// they are over by every clock, and what ended them. Sessions go first: none may come
// back because what ended it was forgotten.
func (s *Sessions) Sweep(now time.Time, skew time.Duration) {
	past := now.Add(-skew)
	for at, h := range s.sessions {
		forgotten := h.Expires.Before(past) || s.loggedOut(h.Session, &past)
		for _, e := range endsOf(at.key, h.Session) {
			until, ended := s.ends[e]
			forgotten = forgotten || ended && until.Before(past)
		}
		if forgotten {
			s.drop(at, h)
		}
	}
	maps.DeleteFunc(s.ends, func(_ end, until time.Time) bool { return until.Before(past) })
	maps.DeleteFunc(s.unread, func(_ unread, until time.Time) bool { return !until.IsZero() && until.Before(past) })
	maps.DeleteFunc(s.codes, func(_ string, c Code) bool { return c.Until.Before(past) })
	s.dropShortcuts(func(_ string, w written) bool { return w.until.Before(past) })
	for key, all := range s.logouts {
		all = slices.DeleteFunc(all, func(l sessions.Logout) bool { return l.Until.Before(past) })
		if s.logouts[key] = all; len(all) == 0 {
			delete(s.logouts, key)
		}
	}
}
