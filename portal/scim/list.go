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
