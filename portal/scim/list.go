package scim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// page is the window that a client asks for (RFC 7644 3.4.2.4).
type page struct{ start, count int }

func (s *ServiceProvider) page(c *call) (page, *Error) {
	start, err := number(c.query.Get("startIndex"), "startIndex", 1)
	if err != nil {
		return page{}, err
	}
	count, err := number(c.query.Get("count"), "count", s.cfg.MaxResults)
	if err != nil {
		return page{}, err
	}
	return page{max(start, 1), min(max(count, 0), s.cfg.MaxResults)}, nil
}

// list answers with the part of what was found that the page shows.
func list(found []int, p page, show func(i int) resource) *answer {
	from := min(p.start-1, len(found))
	shown := found[from:min(from+p.count, len(found))]
	out := make([]resource, len(shown))
	for n, i := range shown {
		out[n] = show(i)
	}
	return &answer{status: http.StatusOK, body: resource{
		"schemas":      []string{schemaList},
		"totalResults": len(found),
		"startIndex":   p.start,
		"itemsPerPage": len(out),
		"Resources":    out,
	}}
}

// search returns the positions of the elements that match all terms. A term
// that an index answers narrows it down before anything is compared.
func search(n int, terms []term, lookup func(term) ([]int, bool), match func(int, term) bool) []int {
	var from []int
	indexed := false
	for _, t := range terms {
		if from, indexed = lookup(t); indexed {
			break
		}
	}
	if !indexed {
		from = make([]int, n)
		for i := range from {
			from[i] = i
		}
	}
	out := make([]int, 0, len(from))
	for _, i := range from {
		if !slices.ContainsFunc(terms, func(t term) bool { return !match(i, t) }) {
			out = append(out, i)
		}
	}
	return out
}

func (s *ServiceProvider) listUsers(c *call) (*answer, *Error) {
	terms, err := c.filter(schemaUser, userAttributes)
	if err != nil {
		return nil, err
	}
	p, err := s.page(c)
	if err != nil {
		return nil, err
	}
	x := s.index()
	found := search(len(x.users), terms, x.lookupUser, func(i int, t term) bool { return matchUser(x.users[i], t) })
	return list(found, p, func(i int) resource { return s.user(x.users[i], c.pick) }), nil
}

func (s *ServiceProvider) listGroups(c *call) (*answer, *Error) {
	terms, err := c.filter(schemaGroup, groupAttributes)
	if err != nil {
		return nil, err
	}
	p, err := s.page(c)
	if err != nil {
		return nil, err
	}
	x := s.index()
	found := search(len(x.groups), terms, x.lookupGroup, func(i int, t term) bool { return matchGroup(x.groups[i], t) })
	return list(found, p, func(i int) resource { return s.group(x.groups[i], c.pick) }), nil
}

// The attributes that a filter may name.
var (
	userAttributes  = []string{"id", "username", "externalid", "displayname", "active", "emails", "emails.value", "name.givenname", "name.familyname"}
	groupAttributes = []string{"id", "displayname", "externalid", "members", "members.value"}
)

// filter reads the filter of a list; no filter is no terms. An attribute that
// can't be compared is refused: an empty answer would look like the truth, and
// the client would make a second user.
func (c *call) filter(schema string, known []string) ([]term, *Error) {
	if !c.query.Has("filter") {
		return nil, nil
	}
	terms, err := parseFilter(c.query.Get("filter"), schema)
	if err != nil {
		return nil, err
	}
	for i, t := range terms {
		if !slices.Contains(known, t.attr) {
			return nil, refuse(ReasonInvalidFilter, "attribute in filter", "one of "+strings.Join(known, ", "), t.attr)
		}
		s, isText := t.value.(string)
		if t.attr == "active" && isText {
			if b, ok := boolean(s); ok {
				terms[i].value, isText = b, false
			}
		}
		if isText == (t.attr == "active") {
			return nil, refuse(ReasonInvalidFilter, "value in filter", "a string, and for active a boolean", t.attr)
		}
	}
	return terms, nil
}

func (x *index) lookupUser(t term) ([]int, bool) {
	s, _ := t.value.(string)
	switch t.attr {
	case "id":
		return one(x.userAt, s), true
	case "username":
		return x.userNames[fold(s)], true
	case "externalid":
		return x.userExternal[s], true
	}
	return nil, false
}

func (x *index) lookupGroup(t term) ([]int, bool) {
	s, _ := t.value.(string)
	switch t.attr {
	case "id":
		return one(x.groupAt, s), true
	case "displayname":
		return x.groupNames[fold(s)], true
	case "externalid":
		return x.groupExternal[s], true
	}
	return nil, false
}

func one(at map[string]int, id string) []int {
	if i, ok := at[id]; ok {
		return []int{i}
	}
	return nil
}

// matchUser compares as the schema says: id and externalId exactly, the rest
// without regard to case (RFC 7643 3.1, 4.1).
func matchUser(u center.User, t term) bool {
	if b, ok := t.value.(bool); ok {
		return u.Active == b
	}
	s, _ := t.value.(string)
	switch t.attr {
	case "id":
		return u.ID == s
	case "externalid":
		return u.ExternalID == s
	case "username":
		return strings.EqualFold(u.UserName, s)
	case "displayname":
		return strings.EqualFold(u.DisplayName, s)
	case "emails", "emails.value":
		return strings.EqualFold(u.Email, s)
	case "name.givenname":
		return strings.EqualFold(u.GivenName, s)
	case "name.familyname":
		return strings.EqualFold(u.FamilyName, s)
	}
	return false
}

func matchGroup(g center.Group, t term) bool {
	s, _ := t.value.(string)
	switch t.attr {
	case "id":
		return g.ID == s
	case "externalid":
		return g.ExternalID == s
	case "displayname":
		return strings.EqualFold(g.Name, s)
	case "members", "members.value":
		return slices.Contains(g.Members, s)
	}
	return false
}
