package oktaapi

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// order is what a list is sorted by: a text that no two members share.
type order[T any] struct {
	key  func(T) string
	down bool
}

func (o order[T]) compare(a, b string) int {
	if o.down {
		a, b = b, a
	}
	return cmp.Compare(a, b)
}

// paged shows a page of a list, which is in that order, as Okta does: limit and after in
// the query, the address of the next page in a Link header. The cursor holds
// the last key, so things may come and go between two pages.
func paged[T any](c *call, list []T, limit int, by order[T], show func(T) map[string]any) *apiError {
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
		at := slices.IndexFunc(list, func(x T) bool { return by.compare(by.key(x), string(last)) > 0 })
		if at < 0 {
			at = len(list)
		}
		list = list[at:]
	}
	self := *c.r.URL
	c.w.Header().Add("Link", "<"+c.base+self.RequestURI()+`>; rel="self"`)
	if len(list) > limit {
		list = list[:limit]
		q.Set("limit", strconv.Itoa(limit))
		q.Set("after", base64.RawURLEncoding.EncodeToString([]byte(by.key(list[limit-1]))))
		next := url.URL{Path: self.Path, RawQuery: q.Encode()}
		c.w.Header().Add("Link", "<"+c.base+next.RequestURI()+`>; rel="next"`)
	}
	return c.ok(shown(list, show))
}

// shown is a list in JSON: [] and never null.
func shown[T, J any](list []T, show func(T) J) []J {
	out := []J{}
	for _, x := range list {
		out = append(out, show(x))
	}
	return out
}

// asksFor says that one of the texts begins with the query's q, whatever its case.
func (c *call) asksFor(texts ...string) bool {
	q := strings.ToLower(c.r.URL.Query().Get("q"))
	return slices.ContainsFunc(texts, func(t string) bool { return strings.HasPrefix(strings.ToLower(t), q) })
}

// searched shows a page of what the query's filter and search take of a list, in
// the order of its sortBy.
func searched[T any](c *call, list []T, limit int, usual order[T], by fields[T], id func(T) string, show func(T) map[string]any) *apiError {
	list, err := selected(c, list, by)
	if err != nil {
		return err
	}
	list, o, err := sorted(c, list, usual, by, id)
	if err != nil {
		return err
	}
	return paged(c, list, limit, o, show)
}

// maxSortKey is how many bytes of a value matter to the order: they go into the
// cursor.
const maxSortKey = 256

// sorted sorts by the query's sortBy and sortOrder, which as at Okta go with a
// search and mean nothing without one. Who has the same value goes by ID.
func sorted[T any](c *call, list []T, usual order[T], by fields[T], id func(T) string) ([]T, order[T], *apiError) {
	q := c.r.URL.Query()
	name, direction := q.Get("sortBy"), q.Get("sortOrder")
	if name == "" || q.Get("search") == "" {
		return list, usual, nil
	}
	f, known := by(name)
	if !known {
		return nil, usual, badSearch("the attribute " + quote(name) + " can't be sorted by")
	}
	if !slices.Contains([]string{"", "asc", "desc"}, strings.ToLower(direction)) {
		return nil, usual, invalid("sortOrder", "asc or desc")
	}
	o := order[T]{down: strings.EqualFold(direction, "desc"), key: func(x T) string {
		value := ""
		if f.time != nil {
			value = stamp(f.time(x))
		} else if vs := f.text(x); len(vs) > 0 {
			value = strings.ToLower(vs[0])
		}
		return value[:min(len(value), maxSortKey)] + "\x00" + id(x)
	}}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b T) int { return o.compare(o.key(a), o.key(b)) })
	return list, o, nil
}
