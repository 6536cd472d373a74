package merge

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// A later version writes kinds that this one doesn't know. Each record, and
// each entry, says whether an older version may skip it:
//
//   - One that is Optional changes no user's access. It is kept in the state and
//     written again with it, so that it outlives a rollback, and it is not shown.
//   - Any other may end access. While it is there, what depends on it can't be
//     trusted: see [Directory.Unread] and [Sessions.Unread].
//
// So a later version says what may end access in a kind of its own, and never in
// a new field of a kind that is known here, which would be passed over.

// element says whether a kind is the instance's: one of center's.
func element(k center.Kind) bool {
	switch k {
	case center.KindRegion, center.KindUser, center.KindGroup, center.KindPermissionSet,
		center.KindAccount, center.KindAssignment, center.KindApplication:
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
	case EntrySession, EntrySeen, EntryEnded, EntryCode, EntryTaken, EntryRevoked, EntrySignedOut, EntryUser, EntryLogout, EntryProbe:
		return true
	}
	return slices.Contains(s.also, k)
}

// Unread says what the Region's log holds that this version doesn't know and
// may not skip. Applications of a Region with such a log are not shown. What
// depends on the primary's log is everything.
func (d *Directory) Unread(region string) (what string, ok bool) {
	l := d.of(region)
	if l.missed != "" {
		return l.missed, true
	}
	var all []Name
	for k := range l.strange {
		if l.cell(k).value != nil {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return "", false
	}
	first := slices.MinFunc(all, compareNames)
	return "records of kind " + refusal.Quote(string(first.Kind)), true
}

// Miss notes that a message of the Region's log can't be read by this version,
// where it stands in the log. The next full transaction, which stands for all
// that is before it, makes good for it. It returns the names touched.
func (d *Directory) Miss(region, what string) []Name {
	l := d.of(region)
	_, already := d.Unread(region)
	if l.missed == "" {
		l.missed = what // also beside a record that can be taken back before
	}
	l.follows = max(l.follows, l.read)
	if already {
		return nil
	}
	return l.applications()
}

// applications are the names of a log's applications.
func (l *regionLog) applications() (out []Name) {
	for k := range l.cells {
		if k.Kind == center.KindApplication {
			out = append(out, k)
		}
	}
	return out
}

// note keeps count of what may not be skipped.
func (l *regionLog) note(k Name, c cell) {
	if c.value == nil || c.optional || l.knows(k.Kind) {
		delete(l.strange, k)
		return
	}
	l.strange[k] = struct{}{}
}

// An unread is what a Region's streams hold that this version doesn't know and
// may not skip.
type unread struct{ region, what string }

// Miss notes that a message of a Region's streams can't be read by this version.
// It matters until then; zero: for good.
func (s *Sessions) Miss(region, what string, until time.Time) {
	k := unread{region, what}
	if was, known := s.unread[k]; known && (was.IsZero() || !until.IsZero() && !until.After(was)) {
		return
	}
	s.unread[k] = until
}

// Unread says what the Regions' streams hold that this version doesn't know and
// may not skip, and so whether any session can be trusted. What a removed Region
// wrote is not in the way: see unreadEnds.
func (s *Sessions) Unread() (region, what string, ok bool) {
	var all []unread
	for k := range s.unread {
		if !s.departures.gone(k.region) {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return "", "", false
	}
	first := slices.MinFunc(all, func(a, b unread) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.what, b.what))
	})
	return first.region, first.what, true
}

// unreadEnds says whether a session may have been ended by what a Region wrote
// that was removed since, and that can't be read: whether it was made before
// the removal. So a Region that writes what no other can read is in the way until
// it is removed, and no longer, and people sign in again.
func (s *Sessions) unreadEnds(made time.Time) bool {
	for k := range s.unread {
		if s.departures.gone(k.region) && made.UnixMicro() <= int64(s.departures.removed[k.region]) {
			return true
		}
	}
	return false
}

// strange takes in an entry of a kind that this version doesn't know.
func (s *Sessions) strange(region string, kind EntryKind, e Entry) {
	if !e.Optional {
		s.Miss(region, "entries of kind "+refusal.Quote(string(kind)), e.Until)
	}
}

// forgetUnread forgets what could only end sessions that are over.
func (s *Sessions) forgetUnread(past time.Time) {
	maps.DeleteFunc(s.unread, func(_ unread, until time.Time) bool { return !until.IsZero() && until.Before(past) })
}

// forgetUnreadOf forgets what a removed Region wrote.
func (s *Sessions) forgetUnreadOf(region string) {
	maps.DeleteFunc(s.unread, func(k unread, _ time.Time) bool { return k.region == region })
}
