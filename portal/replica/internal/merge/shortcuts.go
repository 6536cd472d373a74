package merge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"

	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// A written list of shortcuts is what a Region wrote of a user last. What counts is all
// Regions' lists together, so no Region replaces what another one wrote.
type written struct {
	list      shortcuts.List
	at, until time.Time
}

// takeShortcuts takes in a Region's list of a user, if it is later than the one that is
// known. Of two at one instant it is the same one everywhere. Another Region's list may be
// longer than one may be.
func (s *Sessions) takeShortcuts(region string, e Entry) {
	if s.departures.void(region, e.Seen) {
		return
	}
	l := writtenBy(e)
	if was, ok := s.shortcuts[e.User][region]; ok && !laterList(l, was) {
		return
	}
	if s.shortcuts[e.User] == nil {
		s.shortcuts[e.User] = map[string]written{}
	}
	s.shortcuts[e.User][region] = l
}

func writtenBy(e Entry) written { return written{shortcuts.Merge(*e.Shortcuts), e.Seen, e.Until} }

func laterList(l, old written) bool {
	if c := cmp.Or(l.at.Compare(old.at), l.until.Compare(old.until)); c != 0 {
		return c > 0
	}
	one, err := json.Marshal(l.list)
	two, err2 := json.Marshal(old.list)
	return err == nil && err2 == nil && bytes.Compare(one, two) > 0
}

// Shortcuts returns the merged list of a user.
func (s *Sessions) Shortcuts(user string) shortcuts.List {
	var all []shortcuts.List
	for region, w := range s.shortcuts[user] {
		if !s.departures.gone(region) {
			all = append(all, w.list)
		}
	}
	return shortcuts.Merge(all...)
}

// WithShortcuts returns the users of whom this Region's own streams hold a list that isn't
// empty, in no order.
func (s *Sessions) WithShortcuts() (users []string) {
	for user, by := range s.shortcuts {
		if len(by[s.region].list.Items) > 0 {
			users = append(users, user)
		}
	}
	return users
}

// dropShortcuts forgets the lists for which f is true.
func (s *Sessions) dropShortcuts(f func(region string, w written) bool) {
	for user, by := range s.shortcuts {
		for region, w := range by {
			if f(region, w) {
				delete(by, region)
			}
		}
		if len(by) == 0 {
			delete(s.shortcuts, user)
		}
	}
}
