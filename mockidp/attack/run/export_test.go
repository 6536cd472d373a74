package run

import (
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// IsLoopback is what the tool reaches without being allowed to by name.
var IsLoopback = isLoopback

// Shadowed lists the words in the list of leniencies that decide about nothing:
// no case has such an id, or entries before theirs cover all that have.
func Shadowed() []string {
	all := leniencies()
	decides := make(map[string]bool)
	for _, c := range attack.Cases() {
		if c.Outcome.Accepted() {
			continue
		}
		for _, sign := range c.Needs.Modes() {
			i := slices.IndexFunc(all, func(l leniency) bool { return l.covers(c.ID, sign) })
			if i < 0 {
				continue
			}
			for _, word := range strings.Fields(all[i].ids) {
				if chooses(word, c.ID) {
					decides[all[i].key(word)] = true
				}
			}
		}
	}
	var out []string
	for _, l := range all {
		for _, word := range strings.Fields(l.ids) {
			if !decides[l.key(word)] {
				out = append(out, l.key(word))
			}
		}
	}
	return out
}

func (l leniency) key(word string) string { return word + " in: " + l.ids }

// Harmless says why it is no hole to accept a case. "" if it is one.
func Harmless(c attack.Case, sign attack.Sign) string { return harmless(c, sign) }
