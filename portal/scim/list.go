package scim

import (
	"net/http"
	"strings"
)

// page is the window that a client asks for (RFC 7644 3.4.2.4).
type page struct{ start, count int }

func (s *Server) page(c *call) (page, *Error) {
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

func (s *Server) listUsers(c *call) (*answer, *Error) {
	f, p, err := s.question(c, schemaUser, userAttributes)
	if err != nil {
		return nil, err
	}
	users := s.index().users
	return list(users.search(f, matchUser), p, func(i int) resource { return s.user(users.all[i], c.pick) }), nil
}

func (s *Server) listGroups(c *call) (*answer, *Error) {
	f, p, err := s.question(c, schemaGroup, groupAttributes)
	if err != nil {
		return nil, err
	}
	groups := s.index().groups
	return list(groups.search(f, matchGroup), p, func(i int) resource { return s.group(groups.all[i], c.pick) }), nil
}

// question is what a client asks a list: for which elements, and which part of
// the answer.
func (s *Server) question(c *call, schema string, known map[string]comparing) (*filter, page, *Error) {
	f, err := c.filter(schema, known)
	if err != nil {
		return nil, page{}, err
	}
	p, err := s.page(c)
	return f, p, err
}

// filter reads the filter of a list. An empty one is none: clients send the
// parameter with nothing in it. Nil: none.
func (c *call) filter(schema string, known map[string]comparing) (*filter, *Error) {
	text := c.query.Get("filter")
	if strings.Trim(text, " ") == "" {
		return nil, nil
	}
	f, err := parseFilter(text, schema)
	if err != nil {
		return nil, err
	}
	return f.bind(known, "")
}
