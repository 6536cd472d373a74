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

func (s *ServiceProvider) listUsers(c *call) (*answer, *Error) {
	terms, p, err := s.question(c, schemaUser, userAttributes)
	if err != nil {
		return nil, err
	}
	users := s.index().users
	return list(users.search(terms, matchUser), p, func(i int) resource { return s.user(users.all[i], c.pick) }), nil
}

func (s *ServiceProvider) listGroups(c *call) (*answer, *Error) {
	terms, p, err := s.question(c, schemaGroup, groupAttributes)
	if err != nil {
		return nil, err
	}
	groups := s.index().groups
	return list(groups.search(terms, matchGroup), p, func(i int) resource { return s.group(groups.all[i], c.pick) }), nil
}

// question is what a client asks a list: for which elements, and which part of
// the answer.
func (s *ServiceProvider) question(c *call, schema string, known []string) ([]term, page, *Error) {
	terms, err := c.filter(schema, known)
	if err != nil {
		return nil, page{}, err
	}
	p, err := s.page(c)
	return terms, p, err
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
