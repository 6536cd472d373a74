package shortcuts

import (
	"cmp"
	"slices"
	"time"
)

// The bounds of a user's list.
const (
	MaxFavorites = 24 // Mark refuses more
	MaxRecent    = 8
	// maxUnmarked is how many former favorites are remembered, so that they end in every Region.
	maxUnmarked = 16
)

// Target is what a shortcut leads to: a permission set in an account, or an application. It is comparable.
type Target struct {
	AccountID     string `json:"account,omitempty"`
	PermissionSet string `json:"set,omitempty"`
	Application   string `json:"app,omitempty"` // its ID
}

func (t Target) compare(o Target) int {
	return cmp.Or(cmp.Compare(t.AccountID, o.AccountID), cmp.Compare(t.PermissionSet, o.PermissionSet),
		cmp.Compare(t.Application, o.Application))
}

// Shortcut is what a user did with a target.
type Shortcut struct {
	Target
	Opened   time.Time `json:"opened,omitzero"`   // last; zero: never, or longer ago than the list goes back
	Favorite bool      `json:"favorite,omitzero"` // whether the user marked it
	Marked   time.Time `json:"marked,omitzero"`   // when Favorite was set or cleared last; zero: never
}

// List is a user's shortcuts, each target once, in the order of targets. The zero List is empty. Its methods replace
// Items, and change none that was handed out.
type List struct {
	Items []Shortcut `json:"items,omitempty"`
}

// Favorites returns the targets that the user marked, the first marked first.
func (l List) Favorites() []Target {
	return targets(l.Items, func(s Shortcut) bool { return s.Favorite },
		func(a, b Shortcut) int { return a.Marked.Compare(b.Marked) })
}

// Recent returns the targets that the user opened, the last opened first. A favorite is among them, too.
func (l List) Recent() []Target {
	out := targets(l.Items, func(s Shortcut) bool { return !s.Opened.IsZero() }, lastOpened)
	return out[:min(len(out), MaxRecent)]
}

// IsFavorite reports whether the user marked a target.
func (l List) IsFavorite(t Target) bool {
	i, ok := l.find(t)
	return ok && l.Items[i].Favorite
}

// LastOpened returns when the user opened any target last, and which. Zero: none.
func (l List) LastOpened() (t Target, at time.Time) {
	for _, s := range l.Items {
		if s.Opened.After(at) {
			t, at = s.Target, s.Opened
		}
	}
	return t, at
}

// Open notes that the user opened a target.
func (l *List) Open(t Target, at time.Time) {
	l.change(t, func(s *Shortcut) { s.Opened = later(s.Opened, stamp(at)) })
}

// Mark makes a target a favorite, or ends that. It returns false, and changes nothing, if there are MaxFavorites.
func (l *List) Mark(t Target, favorite bool, at time.Time) bool {
	if favorite && !l.IsFavorite(t) && len(l.Favorites()) >= MaxFavorites {
		return false
	}
	l.change(t, func(s *Shortcut) {
		if s.Favorite == favorite {
			return
		}
		// The user's last click counts, even if another Region's clock is ahead.
		next := s.Marked
		if !final(next) {
			next = next.UTC().Add(time.Millisecond)
		}
		s.Favorite, s.Marked = favorite, later(stamp(at), next)
	})
	return true
}

// final reports whether no later mark can be stored: JSON has years up to 9999. A Region may write any instant.
func final(t time.Time) bool { return t.UTC().Add(time.Millisecond).Year() > 9999 }

func (l *List) change(t Target, edit func(*Shortcut)) {
	items := slices.Clone(l.Items)
	i, ok := l.find(t)
	if !ok {
		items = slices.Insert(items, i, Shortcut{Target: t})
	}
	edit(&items[i])
	l.Items = bounded(items)
}

func (l List) find(t Target) (int, bool) {
	return slices.BinarySearchFunc(l.Items, t, func(s Shortcut, t Target) int { return s.compare(t) })
}

// Merge returns what several lists of a user say together: of each target the last time that it was opened, and the
// last mark. The order of the lists makes no difference. The result is bounded like each of them.
func Merge(lists ...List) List {
	all := map[Target]Shortcut{}
	for _, l := range lists {
		for _, s := range l.Items {
			all[s.Target] = join(s, all[s.Target])
		}
	}
	items := make([]Shortcut, 0, len(all))
	for _, s := range all {
		items = append(items, s)
	}
	slices.SortFunc(items, func(a, b Shortcut) int { return a.compare(b.Target) })
	return List{bounded(items)}
}

// join merges two shortcuts to one target; old may be zero. Of two marks at one instant the favorite counts, except at
// the last instant, so that a user can end a favorite that another Region has marked there.
func join(s, old Shortcut) Shortcut {
	s.Opened = later(s.Opened, old.Opened)
	if old.Marked.After(s.Marked) || old.Marked.Equal(s.Marked) && old.Favorite != final(old.Marked) {
		s.Favorite, s.Marked = old.Favorite, old.Marked
	}
	return s
}

// bounded returns the items that a list may have, in their order: favorites that were marked first, what was opened
// last, and favorites that ended last.
func bounded(items []Shortcut) []Shortcut {
	keep := map[Target]bool{}
	take := func(of []Target, most int) {
		for _, t := range of[:min(len(of), most)] {
			keep[t] = true
		}
	}
	take(List{items}.Favorites(), MaxFavorites)
	take(List{items}.Recent(), MaxRecent)
	take(targets(items, func(s Shortcut) bool { return !s.Favorite && !s.Marked.IsZero() },
		func(a, b Shortcut) int { return b.Marked.Compare(a.Marked) }), maxUnmarked)
	return slices.DeleteFunc(items, func(s Shortcut) bool { return !keep[s.Target] })
}

func targets(items []Shortcut, which func(Shortcut) bool, order func(a, b Shortcut) int) []Target {
	chosen := slices.DeleteFunc(slices.Clone(items), func(s Shortcut) bool { return !which(s) })
	slices.SortStableFunc(chosen, order) // of equal instants by target
	out := make([]Target, len(chosen))
	for i, s := range chosen {
		out[i] = s.Target
	}
	return out
}

func lastOpened(a, b Shortcut) int { return b.Opened.Compare(a.Opened) }

// stamp is an instant as lists have it: in milliseconds, so that it is short and the same after it was stored.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond).Round(0) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
