package merge

import "github.com/meridian-saml/meridian/portal/center"

// What ends access may take effect before it is durable: in the Region where it
// was asked for, while the write is on its way or has failed, and in another
// Region, before it is copied there. That is safe because ends only grow, and
// taking one in twice is taking it in once.

// Ends says whether an entry of this kind can do nothing but end sessions.
func (k EntryKind) Ends() bool {
	return k == EntryEnded || k == EntryRevoked || k == EntrySignedOut || k == EntryUser || k == EntryLogout
}

// NextEpoch returns a count of a component of a user's epoch that ends every
// session that this Region knows of. It is at least least, and more than what
// is counted. It is more than what sessions carry, too: a count that was never
// durable, and that a restart has forgotten; or one that was lost with a disk,
// where the clock that least comes from is behind as well. What another Region's
// sessions say counts up to plausibleEpoch, so that no Region can use the counts
// up.
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

// Foresee ends the sessions of users whom a transaction of this Region's log
// will disable or remove, before it is written. It ends those that are known by
// now and no others: if the transaction is never written, the user may sign in
// again. It is this Region's own knowledge, which no other Region shares.
func (s *Sessions) Foresee(region string, t Transaction) {
	if region != s.primary {
		return
	}
	for _, r := range t.Records {
		if r.Kind != KindEnded || r.writtenIn(t) < t.Stamp { // said again, by a full transaction
			continue
		}
		for at := range s.byUser[r.Key] {
			later(s.early, at.key, s.sessions[at].Expires)
		}
	}
}

// Ahead says whether a Region's changes assign an application to a principal whose
// removal FoldEarly has taken in, and Fold has not. The assignment would be void,
// as one that is made before the removal is known: see Record.Base.
func (d *Directory) Ahead(region string, changes []center.Record) bool {
	if region == d.primary {
		return false
	}
	for _, c := range changes {
		for _, p := range assignedTo(Record{Kind: c.Kind, Key: c.Key, Value: c.Value}) {
			if d.number(d.primary, KindGone, p) > d.of(d.primary).last {
				return true
			}
		}
	}
	return false
}

// FoldEarly is Fold for a transaction that was heard before all that stands
// before it in its log is known here. What this Region writes next doesn't claim
// to know what it may lack: see Record.Base.
func (d *Directory) FoldEarly(region string, t Transaction) []Name {
	l := d.of(region)
	read, last := l.read, l.last
	touched := d.Fold(region, t)
	l.read, l.last = read, last
	return touched
}
