package scim

import (
	"iter"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/portal/center"
)

// people is what a state reads: a snapshot, or an update in progress.
type people interface {
	IdentityProviders() []center.IdentityProvider
	UserByID(id string) (center.User, bool)
	Users(from string) iter.Seq[center.User]
	Groups(from string) iter.Seq[center.Group]
}

// state is the users and groups of an identity provider: all that exist for a client. The state of a snapshot never
// changes. The state of an update includes the batch's changes so far. Neither copies the instance: a change must cost
// what it changes.
type state struct {
	idp    string // its entity ID; "" if the instance lists none
	users  table[center.User]
	groups table[center.Group]
	tx     *center.Tx // nil for a snapshot
}

// states are those of an instance, by identity provider.
type states map[string]*state

// newStates returns the states of a snapshot, or of an update. lists returns the elements as they are listed.
func newStates(p people, tx *center.Tx, lists func() center.Data) states {
	providers := p.IdentityProviders()
	newState := func(idp string) *state {
		own := func(of string) bool { return len(providers) == 0 || of == idp }
		return &state{idp: idp, tx: tx, users: usersOf(p, own, lists), groups: groupsOf(p, own, lists)}
	}
	if len(providers) == 0 {
		return states{"": newState("")}
	}
	out := make(states, len(providers))
	for _, p := range providers {
		out[p.EntityID] = newState(p.EntityID)
	}
	return out
}

func usersOf(p people, own func(idp string) bool, lists func() center.Data) table[center.User] {
	t := table[center.User]{
		own: func(u *center.User) bool { return own(u.IdentityProvider) }, find: p.UserByID, all: p.Users,
	}
	t.list = sync.OnceValue(func() []center.User { return t.filter(lists().Users) })
	return t
}

func groupsOf(p people, own func(idp string) bool, lists func() center.Data) table[center.Group] {
	t := table[center.Group]{own: func(g *center.Group) bool { return own(g.IdentityProvider) }, all: p.Groups}
	t.find = func(id string) (center.Group, bool) {
		for g := range p.Groups(id) {
			return g, g.ID == id
		}
		return center.Group{}, false
	}
	t.list = sync.OnceValue(func() []center.Group { return t.filter(lists().Groups) })
	return t
}

const ruleProvider = "identity provider of the token"

// of returns the state for a token. A token without an identity provider is for the only one. A token with one is not
// for an instance that lists none: it would see the users of another one.
func (all states) of(t Token) (*state, *Error) {
	if st, ok := all[t.IdentityProvider]; ok {
		return st, nil
	}
	if t.IdentityProvider != "" {
		return nil, refuse(ReasonProvider, ruleProvider, "one that the instance lists", t.IdentityProvider)
	}
	if len(all) > 1 {
		return nil, refuse(ReasonProvider, ruleProvider, "one, because the instance has several", "")
	}
	for _, st := range all {
		return st, nil
	}
	return nil, refuse(ReasonProvider, ruleProvider, "one that the instance lists", "") // impossible: there is one
}

// state returns the state of the current snapshot for a token. States are made once per snapshot, and lists when they
// are first needed.
func (s *Server) state(t Token) (*state, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.cfg.View.Snapshot(); s.stateOf != now {
		s.cached, s.stateOf = newStates(now, nil, sync.OnceValue(now.Data)), now
	}
	return s.cached.of(t)
}

// A table is the elements of one kind, users or groups, that a client sees.
type table[T any] struct {
	own  func(*T) bool
	find func(id string) (T, bool)
	all  func(from string) iter.Seq[T] // in the order of their IDs
	list func() []T                    // in the order in which all elements are listed
}

// filter returns the elements of a list that the client sees. It doesn't change the list, which states share.
func (t *table[T]) filter(all []T) (out []T) {
	for i := range all {
		if t.own(&all[i]) {
			out = append(out, all[i])
		}
	}
	return out
}

// get returns the element with an ID.
func (t *table[T]) get(id string) (element T, ok bool) {
	if v, ok := t.find(id); ok && t.own(&v) {
		return v, true
	}
	return element, false
}

// each yields all elements.
func (t *table[T]) each(yield func(*T) bool) {
	for v := range t.all("") {
		if t.own(&v) && !yield(&v) {
			return
		}
	}
}

// search returns the elements that match a filter, or all elements for nil.
func (t *table[T]) search(f *filter, match func(*T, *filter) bool) (out []T) {
	if f == nil {
		return t.list()
	}
	for v := range t.each {
		if match(v, f) {
			out = append(out, *v)
		}
	}
	return out
}

// fold returns equal strings for two strings if, and only if, strings.EqualFold reports true for them: userName and
// displayName are not case-exact (RFC 7643 4.1.1, 8.7.1).
func fold(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || ('A' <= r && r <= 'Z') }) < 0 {
		return s // the usual case
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A' // as in the strings that are returned above
		}
		return least
	}, s)
}
