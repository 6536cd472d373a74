package scim

import (
	"net/http"
	"strconv"
)

// page is the window that a client asks for (RFC 7644 3.4.2.4).
type page struct{ start, count int }

func (s *Server) page(c *call) (page, *Error) {
	start, err := c.number("startIndex", 1)
	if err != nil {
		return page{}, err
	}
	count, err := c.number("count", s.cfg.MaxResults)
	return page{max(start, 1), min(max(count, 0), s.cfg.MaxResults)}, err
}

// number returns an integer parameter of the query.
func (c *call) number(name string, missing int) (int, *Error) {
	s := c.query.Get(name)
	if s == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, refuse(ReasonInvalidValue, name, "a number", s)
	}
	return n, nil
}

// list answers with a page of the resources that were found.
func list(found int, p page, show func(i int) resource) *answer {
	from := min(p.start-1, found)
	out := make([]resource, min(p.count, found-from))
	for i := range out {
		out[i] = show(from + i)
	}
	return &answer{status: http.StatusOK, body: resource{
		"schemas":      []string{schemaList},
		"totalResults": found,
		"startIndex":   p.start,
		"itemsPerPage": len(out),
		"Resources":    out,
	}}
}
