package merge

import (
	"cmp"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// A later version writes kinds that this one doesn't know. Each record, and each
// entry, says whether an older version may skip it:
//
//   - One that is Optional changes no user's access. It is kept in the state and
//     written again with it, so that it outlives a rollback. It is not shown.
//   - Any other may end access. While it is in the state, what depends on it can't be
//     trusted: see [Directory.Unread] and [Sessions.Unread].
//
// So a later version says what may end access in a kind of its own, and never in a
// new field of a known kind, which an older version would ignore.

// element says whether a kind is the instance's: one of center's.
func element(k center.Kind) bool {
	switch k {
	case center.KindRegion, center.KindIdentityProvider, center.KindUser, center.KindGroup,
		center.KindPermissionSet, center.KindAccount, center.KindAssignment, center.KindApplication,
		center.KindInstance, center.KindDetails, center.KindFederation, center.KindParkedApplication,
		center.KindResidency, center.KindRotation:
		return true
	}
	return false
}

// knows says whether this version knows a kind of record.
func (d *Directory) knows(k center.Kind) bool {
	return element(k) || internal(k) || slices.Contains(d.also, k)
}

// knows says whether this version knows a kind of entry.
func (s *Sessions) knows(k EntryKind) bool {
	switch k {
	case EntrySession, EntrySeen, EntryCode, EntryTaken, EntryProbe, EntryShortcuts:
		return true
	}
	return k.Ends() || slices.Contains(s.also, k)
}

// Unread says what the Region's log holds that this version doesn't know and may not
// skip. Applications of a Region with such a log are not shown. Everything depends on
// the primary's log.
func (d *Directory) Unread(region string) (what string, ok bool) {
	l := d.of(region)
	if l.missed != "" {
		return l.missed, true
	}
	var first Name
	for k := range l.strange {
		if l.cell(k).value != nil && (!ok || compareNames(k, first) < 0) {
			first, ok = k, true
		}
	}
	if !ok {
		return "", false
	}
	return "records of kind " + refusal.Quote(string(first.Kind)), true
}

// Miss notes that this version can't read a message of the Region's log, at the
// present position in the log. The next full transaction replaces the message. It
// returns the names touched.
func (d *Directory) Miss(region, what string) []Name {
	l := d.of(region)
	_, already := d.Unread(region)
	l.missed = cmp.Or(l.missed, what) // also beside a record that can be taken back before
	if l.follows = max(l.follows, l.read); already {
		return nil
	}
	return l.apps.all()
}

// An unread is what a Region's streams hold that this version doesn't know and may
// not skip.
type unread struct{ region, what string }

// Miss notes that this version can't read a message of a Region's streams. It matters
// until then; zero: for good.
func (s *Sessions) Miss(region, what string, until time.Time) {
	k := unread{region, what}
	if was, known := s.unread[k]; !known || !was.IsZero() && (until.IsZero() || until.After(was)) {
		s.unread[k] = until
	}
}

// Unread says what the Regions' streams hold that this version doesn't know and may
// not skip, and so whether any session can be trusted. What a removed Region wrote
// doesn't count: see unreadEnds.
func (s *Sessions) Unread() (region, what string, ok bool) {
	var first unread
	for k := range s.unread {
		less := cmp.Or(cmp.Compare(k.region, first.region), cmp.Compare(k.what, first.what)) < 0
		if !s.departures.gone(k.region) && (!ok || less) {
			first, ok = k, true
		}
	}
	return first.region, first.what, ok
}

// unreadEnds says whether a session may have been ended by what a Region wrote that
// was removed since, and that can't be read: whether it was made before the removal.
// So a Region that writes what no other can read stops the others until it is
// removed, and no longer. Users sign in again.
func (s *Sessions) unreadEnds(made time.Time) bool {
	for k := range s.unread {
		if s.departures.gone(k.region) && s.departures.void(k.region, made) {
			return true
		}
	}
	return false
}
