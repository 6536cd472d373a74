package portal

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/portal/center"
)

const (
	// maxPeople is how many users a page shows.
	maxPeople = 20
	// maxLooked is how many users one search looks at. With more, the page has a link that goes on. So a search costs no
	// more than one over a user's accounts, however many users there are.
	maxLooked = 10_000
)

// peopleFound is what a part of a search over users found.
type peopleFound struct {
	Users  []center.User
	Exact  int    // how many of Users, the first ones, are named by the query exactly
	Next   string // the ID at which the search goes on, or ""
	Looked int
}

// people finds users by their names and addresses, from an ID on. Those that the query names exactly come first, on the
// first page only. The others are sorted by label. The empty query finds all.
func (q query) people(s *center.Snapshot, from string) (out peopleFound) {
	return q.look(s.Users(from), q.exactly(s), from == "")
}

// look finds users in a list, in the order of their IDs, and none of those that it names exactly.
func (q query) look(users iter.Seq[center.User], exact []center.User, first bool) (out peopleFound) {
	if first {
		out.Users, out.Exact = slices.Clone(exact), len(exact)
	}
	for u := range users {
		if out.Looked == maxLooked || len(out.Users) >= maxPeople {
			out.Next = u.ID
			break
		}
		out.Looked++
		if q.person(&u) && !slices.ContainsFunc(exact, func(e center.User) bool { return e.ID == u.ID }) {
			out.Users = append(out.Users, u)
		}
	}
	slices.SortStableFunc(out.Users[out.Exact:], func(a, b center.User) int {
		return cmp.Compare(strings.ToLower(a.Label()), strings.ToLower(b.Label()))
	})
	return out
}

// exactly returns the users with this ID, UUID, userName, address or externalId, each from an index, at most maxPeople.
func (q query) exactly(s *center.Snapshot) (out []center.User) {
	name := strings.TrimSpace(q.Text)
	if name == "" {
		return nil
	}
	add := func(list ...center.User) {
		for _, u := range list {
			if len(out) < maxPeople && !slices.ContainsFunc(out, func(o center.User) bool { return o.ID == u.ID }) {
				out = append(out, u)
			}
		}
	}
	if u, ok := s.UserByID(name); ok {
		add(u)
	}
	if u, ok := s.UserByUUID(strings.ToLower(name)); ok {
		add(u)
	}
	add(s.UsersNamed(name)...)
	add(s.UsersByEmail(name)...)
	add(s.UsersByExternalID(name)...)
	return out
}

// person reports whether each word of the query is in a name or the address of a user.
func (q query) person(u *center.User) bool {
	for _, word := range q.words {
		if !has(u.DisplayName, word) && !has(u.UserName, word) && !has(u.Email, word) && !has(u.GivenName, word) &&
			!has(u.FamilyName, word) {
			return false
		}
	}
	return true
}

// has reports whether a text has a part, which is in lower case. It ignores case, and allocates nothing for ASCII.
func has(text, part string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.Contains(strings.ToLower(text), part)
		}
	}
	for i := 0; i+len(part) <= len(text); i++ {
		n := 0
		for n < len(part) && lower(text[i+n]) == part[n] {
			n++
		}
		if n == len(part) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
