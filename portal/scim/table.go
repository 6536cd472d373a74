package scim

import (
	"iter"
	"slices"
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
	UsersNamed(userName string) []center.User
	UsersByExternalID(externalID string) []center.User
	UsersByEmail(email string) []center.User
	Users(from string) iter.Seq[center.User]
	GroupByID(id string) (center.Group, bool)
	GroupsNamed(name string) []center.Group
	GroupsByExternalID(externalID string) []center.Group
	GroupsWith(userID string) []center.Group
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

// newStates returns the states of a snapshot, or of an update.
func newStates(p people, tx *center.Tx) states {
	providers := p.IdentityProviders()
	newState := func(idp string) *state {
		own := func(of string) bool { return len(providers) == 0 || of == idp }
		return &state{idp: idp, tx: tx, users: usersOf(p, own), groups: groupsOf(p, own)}
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

func usersOf(p people, own func(idp string) bool) table[center.User] {
	return newTable(table[center.User]{
		id:   func(u *center.User) string { return u.ID },
		own:  func(u *center.User) bool { return own(u.IdentityProvider) },
		find: p.UserByID, all: p.Users,
		with: map[string]func(string) []center.User{
			"username": p.UsersNamed, "externalid": p.UsersByExternalID, "emails.value": p.UsersByEmail,
		},
	})
}

func groupsOf(p people, own func(idp string) bool) table[center.Group] {
	return newTable(table[center.Group]{
		id:   func(g *center.Group) string { return g.ID },
		own:  func(g *center.Group) bool { return own(g.IdentityProvider) },
		find: p.GroupByID, all: p.Groups,
		with: map[string]func(string) []center.Group{
			"displayname": p.GroupsNamed, "externalid": p.GroupsByExternalID, "members.value": p.GroupsWith,
		},
	})
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
		s.cached, s.stateOf = newStates(now, nil), now
	}
	return s.cached.of(t)
}

// A table is the elements of one kind, users or groups, that a client sees.
type table[T any] struct {
	id   func(*T) string
	own  func(*T) bool
	find func(id string) (T, bool)
	all  func(from string) iter.Seq[T] // in the order of their IDs
	// with returns the elements with a value of an attribute, by attribute: for these there are indexes.
	with map[string]func(value string) []T
	// marks returns the number of elements, and the ID of each that comes markEvery elements after the one before. They
	// are made when the first list is asked for, so that a page reads what is on it.
	marks func() (total int, ids []string)
}

const markEvery = 100

func newTable[T any](t table[T]) table[T] {
	t.marks = sync.OnceValues(func() (total int, ids []string) {
		for v := range t.each("") {
			if total%markEvery == 0 {
				ids = append(ids, t.id(v))
			}
			total++
		}
		return total, ids
	})
	return t
}

// get returns the element with an ID.
func (t *table[T]) get(id string) (element T, ok bool) {
	if v, ok := t.find(id); ok && t.own(&v) {
		return v, true
	}
	return element, false
}

// each yields all elements, from an ID on. What it yields is valid until it yields the next one.
func (t *table[T]) each(from string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		var v T // one for all, so that a scan allocates nothing for users
		for v = range t.all(from) {
			if t.own(&v) && !yield(&v) {
				return
			}
		}
	}
}

// withValue returns the elements with a value of an attribute that has an index.
func (t *table[T]) withValue(attr, value string) []T {
	return slices.DeleteFunc(t.with[attr](value), func(v T) bool { return !t.own(&v) })
}

// search returns a page of the elements that match a filter, or of all elements for nil, and the number of all that
// match. They are in the order of their IDs. It keeps no more than the page.
func (t *table[T]) search(f *filter, match func(*T, *filter) bool, p page) (shown []T, total int) {
	if f == nil {
		return t.page(p)
	}
	matching := func(v *T) {
		if !match(v, f) {
			return
		}
		if total++; total >= p.start && len(shown) < p.count {
			shown = append(shown, *v)
		}
	}
	if few, ok := t.candidates(f); ok {
		for i := range few {
			matching(&few[i])
		}
		return shown, total
	}
	for v := range t.each("") {
		matching(v)
	}
	return shown, total
}

// page returns a page of all elements.
func (t *table[T]) page(p page) (shown []T, total int) {
	total, ids := t.marks()
	skip := p.start - 1
	if skip >= total || p.count == 0 {
		return nil, total
	}
	for v := range t.each(ids[skip/markEvery]) {
		if skip%markEvery > 0 {
			skip--
			continue
		}
		if shown = append(shown, *v); len(shown) == p.count {
			break
		}
	}
	return shown, total
}

// candidates returns elements in the order of their IDs, among which are all that match a filter. Without a result, an
// index doesn't help.
func (t *table[T]) candidates(f *filter) ([]T, bool) {
	switch f.op {
	case opEqual:
		value, _ := f.value.(string)
		if f.attr == "id" {
			if v, ok := t.get(value); ok {
				return []T{v}, true
			}
			return nil, true
		}
		if t.with[f.attr] == nil {
			return nil, false
		}
		return t.withValue(f.attr, value), true
	case opValuePath:
		return t.candidates(f.args[0])
	case opAnd:
		for _, arg := range f.args {
			if few, ok := t.candidates(arg); ok {
				return few, true
			}
		}
	case opOr:
		var out []T
		for _, arg := range f.args {
			few, ok := t.candidates(arg)
			if !ok {
				return nil, false
			}
			out = append(out, few...)
		}
		slices.SortFunc(out, func(a, b T) int { return strings.Compare(t.id(&a), t.id(&b)) })
		return slices.CompactFunc(out, func(a, b T) bool { return t.id(&a) == t.id(&b) }), true
	}
	return nil, false
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
