package scim

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/portal/center"
)

// state is the users and groups of an identity provider: all that exist for a client. The state of a snapshot never
// changes. The state of an update includes the batch's changes so far.
type state struct {
	idp    string // its entity ID; "" if the instance lists none
	users  *table[center.User]
	groups *table[center.Group] // whose Members never change
	tx     *center.Tx           // nil for a snapshot
}

// states are those of an instance, by identity provider. They never change.
type states map[string]*state

// newStates takes ownership of d.
func newStates(d center.Data, tx *center.Tx) states {
	out := make(states, len(d.IdentityProviders))
	if len(d.IdentityProviders) == 0 {
		out[""] = newState("", d.Users, d.Groups, tx)
		return out
	}
	users, groups := map[string][]center.User{}, map[string][]center.Group{}
	for _, u := range d.Users {
		users[u.IdentityProvider] = append(users[u.IdentityProvider], u)
	}
	for _, g := range d.Groups {
		groups[g.IdentityProvider] = append(groups[g.IdentityProvider], g)
	}
	for _, p := range d.IdentityProviders {
		out[p.EntityID] = newState(p.EntityID, users[p.EntityID], groups[p.EntityID], tx)
	}
	return out
}

func newState(idp string, users []center.User, groups []center.Group, tx *center.Tx) *state {
	userID := func(u center.User) string { return u.ID }
	groupID := func(g center.Group) string { return g.ID }
	return &state{idp, newTable(users, userID), newTable(groups, groupID), tx}
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

// state returns the state of the current snapshot for a token. States are made once per snapshot.
func (s *Server) state(t Token) (*state, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.cfg.View.Snapshot(); s.stateOf != now {
		s.cached, s.stateOf = newStates(now.Data(), nil), now
	}
	return s.cached.of(t)
}

// A table is the elements of one kind, users or groups, with a lookup by ID.
type table[T any] struct {
	all []T // in the instance's order; the zero value is a removed one
	id  func(T) string
	at  map[string]int // by ID
}

// newTable takes ownership of all.
func newTable[T any](all []T, id func(T) string) *table[T] {
	t := &table[T]{all: all, id: id, at: make(map[string]int, len(all))}
	for i, element := range all {
		t.at[id(element)] = i
	}
	return t
}

func (t *table[T]) get(id string) (element T, ok bool) {
	i, ok := t.at[id]
	if !ok {
		return element, false
	}
	return t.all[i], true
}

// put adds an element, or replaces the one with its ID.
func (t *table[T]) put(element T) {
	id := t.id(element)
	if i, ok := t.at[id]; ok {
		t.all[i] = element
		return
	}
	t.at[id] = len(t.all)
	t.all = append(t.all, element)
}

// drop removes an element of the table.
func (t *table[T]) drop(id string) {
	var none T
	t.all[t.at[id]] = none
	delete(t.at, id)
}

// search returns the elements that match a filter, or all elements for nil.
func (t *table[T]) search(f *filter, match func(*T, *filter) bool) []T {
	if f == nil {
		return t.all
	}
	var out []T
	for i := range t.all {
		if match(&t.all[i], f) {
			out = append(out, t.all[i])
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
