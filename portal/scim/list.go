package scim

import (
	"net/http"
	"strconv"
	"strings"
)

// page is the requested page of a list (RFC 7644 3.4.2.4).
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

// list answers with a page of resources.
func list(out []resource, total int, p page) *answer {
	return &answer{status: http.StatusOK, body: resource{
		"schemas":      []string{schemaList},
		"totalResults": total,
		"startIndex":   p.start,
		"itemsPerPage": len(out),
		"Resources":    out,
	}}
}

// A selection is the set of requested attributes (RFC 7644 3.9). Nil: all default ones.
type selection struct{ only, except map[string]bool }

// names parses one of the two parameters. Unknown names have no effect.
func names(list string) map[string]bool {
	if list == "" {
		return nil
	}
	out := map[string]bool{}
	for n := range strings.SplitSeq(list, ",") {
		n = strings.ToLower(strings.TrimSpace(n))
		for _, schema := range []string{schemaUser, schemaGroup} {
			n = strings.TrimPrefix(n, strings.ToLower(schema)+":")
		}
		out[n] = true
		if top, _, found := strings.Cut(n, "."); found {
			out[top+"."] = true // a part of the attribute
		}
	}
	return out
}

// wants reports whether any part of an attribute is shown. id and schemas are always shown (RFC 7643 7, returned
// "always").
func (p selection) wants(name string) bool {
	name = strings.ToLower(name)
	if name == "id" || name == "schemas" {
		return true
	}
	return !p.except[name] && (p.only == nil || p.only[name] || p.only[name+"."])
}

// wantsPart reports whether a sub-attribute of a shown attribute is shown.
func (p selection) wantsPart(name, sub string) bool {
	name = strings.ToLower(name)
	full := name + "." + strings.ToLower(sub)
	return !p.except[full] && (p.only == nil || p.only[name] || p.only[full])
}

// of removes the attributes that are not selected from r.
func (p selection) of(r resource) resource {
	if p.only == nil && p.except == nil {
		return r
	}
	for name, v := range r {
		if !p.wants(name) {
			delete(r, name)
			continue
		}
		values, _ := v.([]resource)
		if one, ok := v.(resource); ok {
			values = []resource{one}
		}
		for _, value := range values {
			for sub := range value {
				if !p.wantsPart(name, sub) {
					delete(value, sub)
				}
			}
		}
	}
	return r
}
