package merge

import (
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// applications are the applications in a log, by name and by principal: a change of a
// user must not read the whole log to find them.
type applications struct {
	names map[Name]struct{}
	to    map[string]map[Name]struct{} // by goneKey
}

func newApplications() applications {
	return applications{map[Name]struct{}{}, map[string]map[Name]struct{}{}}
}

func (a applications) add(k Name, c cell) {
	if k.Kind != center.KindApplication {
		return
	}
	a.names[k] = struct{}{}
	for _, p := range c.to {
		if a.to[p] == nil {
			a.to[p] = map[Name]struct{}{}
		}
		a.to[p][k] = struct{}{}
	}
}

func (a applications) remove(k Name, c cell) {
	if k.Kind != center.KindApplication {
		return
	}
	delete(a.names, k)
	for _, p := range c.to {
		if delete(a.to[p], k); len(a.to[p]) == 0 {
			delete(a.to, p)
		}
	}
}

// all returns the names of all applications.
func (a applications) all() []Name { return slices.Collect(maps.Keys(a.names)) }

// of returns the names of those that are assigned to a principal.
func (a applications) of(principal string) []Name { return slices.Collect(maps.Keys(a.to[principal])) }
