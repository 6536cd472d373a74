package merge

import (
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// A Standing is a Region's membership, as far as the primary's log is known.
type Standing struct {
	// Listed is the stamp of the Region's entry in the directory. 0: none.
	Listed uint64
	// Removed is the stamp of its last removal. 0: none.
	Removed uint64
	// Known is the highest stamp of an entry that was ever heard of.
	Known uint64
}

// Gone says whether the Region was removed, and not added again. A removal that is older
// than an entry doesn't count, even if that entry is gone by now: a primary that was put
// back to an older state doesn't remove a Region again.
func (s Standing) Gone() bool { return s.Removed > max(s.Listed, s.Known) }

// Standing returns a Region's Standing.
func (d *Directory) Standing(region string) Standing {
	_, listed, _ := d.Entry(region)
	return Standing{Listed: listed, Removed: d.number(d.primary, KindRemoved, region), Known: d.entries[region]}
}

// Standings returns the Standing of each Region that the primary ever named.
func (d *Directory) Standings() map[string]Standing {
	out := make(map[string]Standing, len(d.entries))
	for region := range d.entries {
		out[region] = d.Standing(region)
	}
	return out
}

// entered notes what a transaction of the primary says about Regions, and which part
// of their logs is void. It returns the names touched.
func (d *Directory) entered(t Transaction) (touched []Name) {
	for _, r := range t.Records {
		switch {
		case r.Kind == center.KindRegion && r.Value != nil:
			d.entries[r.Key] = max(d.entries[r.Key], r.WrittenIn(t))
		case r.Kind == KindRemoved:
			d.entries[r.Key] = max(d.entries[r.Key], 0)
		}
	}
	for region := range d.entries {
		removed := d.number(d.primary, KindRemoved, region)
		l, ok := d.logs[region]
		if !ok || l.void == removed || region == d.primary {
			continue
		}
		if removed > l.void && l.follows <= removed {
			l.missed, l.follows = "", 0
		}
		l.void = removed
		touched = slices.AppendSeq(touched, maps.Keys(l.cells))
	}
	return touched
}

// departures is what Sessions knows of Regions that were removed.
type departures struct {
	removed map[string]uint64 // the stamp of the last removal
	floor   uint64            // the stamp of the primary's last whole state, which has all removals before it
	listed  map[string]uint64 // the highest stamp of an entry
	over    map[string]uint64 // epochs up to this one no longer count: see SweepDeparted
}

// gone says whether a Region was removed and not added again.
func (d departures) gone(region string) bool { return d.removed[region] > d.listed[region] }

// void says whether what a Region made at an instant is void, because the Region was
// removed since. A Region that was added again makes nothing that counts until its
// clock is past its removal by the primary's clock.
func (d departures) void(region string, made time.Time) bool {
	at, ok := d.removed[region]
	return ok && made.UnixMicro() <= int64(at)
}

// erased says whether a Region that was added again has erased a count of its own, because it counted so far before its
// removal. A count is at least the time in seconds.
func (d departures) erased(region string, count uint64) bool {
	at, ok := d.removed[region]
	return ok && !d.gone(region) && int64(count) <= time.UnixMicro(int64(at)).Unix()
}

// depart takes in what a transaction of the primary says about Regions. What a
// removed Region made is dropped: sessions, codes and lists of shortcuts. What it ended stays ended.
func (s *Sessions) depart(t Transaction) {
	d, was := &s.departures, maps.Clone(s.departures.removed)
	if t.Full && t.Stamp >= d.floor {
		d.floor = t.Stamp
		maps.DeleteFunc(d.removed, func(_ string, stamp uint64) bool { return stamp <= t.Stamp })
	}
	for _, r := range t.Records {
		switch stamp := r.WrittenIn(t); {
		case r.Kind == center.KindRegion && r.Value != nil:
			d.listed[r.Key] = max(d.listed[r.Key], stamp)
		case r.Kind == KindRemoved && t.Stamp >= d.floor && stamp > d.removed[r.Key]:
			if d.removed[r.Key] = stamp; stamp > was[r.Key] {
				s.leave(r.Key)
			}
		}
	}
}

func (s *Sessions) leave(region string) {
	for at, h := range s.sessions {
		if at.region == region && s.departures.void(region, h.Created) {
			s.drop(at, h)
		}
	}
	maps.DeleteFunc(s.codes, func(_ string, c Code) bool { return c.Region == region })
	s.dropShortcuts(func(r string, w written) bool { return r == region && s.departures.void(r, w.at) })
}

// Forgettable returns when nothing is needed any more of a Region that was removed at a
// stamp: no session that it ended can live. Its epochs have ceased to count by then in
// every Region. So Regions that forget at different moments accept the same sessions.
func Forgettable(removed uint64, life, skew time.Duration) time.Time {
	return time.UnixMicro(int64(removed)).Add(life + 3*skew + 2*time.Minute)
}

// SweepDeparted forgets what removed Regions counted. life is the longest that a session
// lives. A count is at least the time in seconds: that tells counts before a removal.
func (s *Sessions) SweepDeparted(now time.Time, life, skew time.Duration) {
	for region, stamp := range s.departures.removed {
		left := time.UnixMicro(int64(stamp))
		if now.After(left.Add(life + 2*skew)) {
			s.departures.over[region] = uint64(max(0, left.Add(skew).Unix()))
		}
		if !now.After(Forgettable(stamp, life, skew)) {
			continue
		}
		s.forgetEpochs(region)
		if s.departures.gone(region) {
			maps.DeleteFunc(s.unread, func(k unread, _ time.Time) bool { return k.region == region })
		}
	}
}

func (s *Sessions) forgetEpochs(region string) {
	for user, e := range s.epochs {
		if n, ok := e[region]; !ok || n > s.departures.over[region] {
			continue
		}
		e = maps.Clone(e) // those that were handed out don't change
		delete(e, region)
		if s.epochs[user] = e; len(e) == 0 {
			delete(s.epochs, user)
		}
	}
}
