package oktaapi

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// paged sorts a list by a key that no two members share, and answers with a page of it, as Okta does: limit and
// after in the query, the next page's URL in a Link header. The cursor is the last key, so members may be added
// and removed between two pages.
func paged[T any](c *call, list []T, limit int, key func(T) string, show func(T) object) *apiError {
	return pagedBy(c, list, limit, key, strings.Compare, show)
}

func pagedBy[T any](c *call, list []T, limit int, key func(T) string, compare func(a, b string) int,
	show func(T) object) *apiError {
	slices.SortFunc(list, func(a, b T) int { return compare(key(a), key(b)) })
	q := c.r.URL.Query()
	if l := q.Get("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 {
			return invalid("limit", "a number from 1")
		}
		limit = min(n, limit)
	}
	if cursor := q.Get("after"); cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil {
			return invalid("after", "a cursor from a Link header")
		}
		list = slices.DeleteFunc(list, func(x T) bool { return compare(key(x), string(last)) <= 0 })
	}
	self := *c.r.URL
	c.w.Header().Add("Link", "<"+c.base+self.RequestURI()+`>; rel="self"`)
	if len(list) > limit {
		list = list[:limit]
		q.Set("limit", strconv.Itoa(limit))
		q.Set("after", base64.RawURLEncoding.EncodeToString([]byte(key(list[limit-1]))))
		next := url.URL{Path: self.Path, RawQuery: q.Encode()}
		c.w.Header().Add("Link", "<"+c.base+next.RequestURI()+`>; rel="next"`)
	}
	return c.ok(shown(list, show))
}

// shown converts the members of a list, which is never nil (null in JSON).
func shown[T, J any](list []T, show func(T) J) []J {
	out := []J{}
	for _, x := range list {
		out = append(out, show(x))
	}
	return out
}

// hasPrefix reports whether one of the texts begins with the query's q, regardless of case.
func (c *call) hasPrefix(texts ...string) bool {
	q := strings.ToLower(c.r.URL.Query().Get("q"))
	return slices.ContainsFunc(texts, func(t string) bool { return strings.HasPrefix(strings.ToLower(t), q) })
}

// maxSortKey is how many bytes of a value are compared. The cursor contains them.
const maxSortKey = 256

// searched answers with a page of the members that match the query's filter and search. As at Okta, only a
// filter is case-sensitive, and only a search is sorted by sortBy and sortOrder; members with the same value
// are sorted by ID.
func searched[T any](c *call, list []T, limit int, key func(T) string, fields fields[T],
	show func(T) object) *apiError {
	q := c.r.URL.Query()
	for _, name := range []string{"filter", "search"} {
		if q.Get(name) == "" {
			continue
		}
		e, err := parseFilter(q.Get(name))
		if err != nil {
			return err
		}
		matches, err := compile(e, fields, name == "search")
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(x T) bool { return !matches(x) })
	}
	name, direction := q.Get("sortBy"), strings.ToLower(q.Get("sortOrder"))
	if name == "" || q.Get("search") == "" {
		return paged(c, list, limit, key, show)
	}
	f, known := fields(name)
	if !known {
		return badSearch("lists can't be sorted by the attribute " + quote(name))
	}
	compare := strings.Compare
	switch direction {
	case "", "asc":
	case "desc":
		compare = func(a, b string) int { return strings.Compare(b, a) }
	default:
		return invalid("sortOrder", "asc or desc")
	}
	id, _ := fields("id")
	return pagedBy(c, list, limit, func(x T) string {
		value := ""
		if values := f.values(x); len(values) > 0 {
			value = strings.ToLower(values[0])
		}
		return value[:min(len(value), maxSortKey)] + "\x00" + id.values(x)[0]
	}, compare, show)
}
