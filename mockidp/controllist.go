package mockidp

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// paged cuts a list, which is in the order of key, as Okta does: limit and after
// in the query, the address of the next page in a Link header. The cursor holds
// the last key, so things may come and go between two pages.
func paged[T any](c *call, list []T, limit int, key func(T) string) ([]T, *apiError) {
	q := c.r.URL.Query()
	if l := q.Get("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 {
			return nil, invalid("limit", "a number from 1")
		}
		limit = min(n, limit)
	}
	if cursor := q.Get("after"); cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil {
			return nil, invalid("after", "a cursor from a Link header")
		}
		at := slices.IndexFunc(list, func(x T) bool { return key(x) > string(last) })
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
		q.Set("after", base64.RawURLEncoding.EncodeToString([]byte(key(list[limit-1]))))
		next := url.URL{Path: self.Path, RawQuery: q.Encode()}
		c.w.Header().Add("Link", "<"+c.base+next.RequestURI()+`>; rel="next"`)
	}
	if list == nil {
		list = []T{} // [] in JSON, not null
	}
	return list, nil
}

// term is one comparison of a filter.
type term struct{ name, op, value string }

// filter is the part of SCIM's filters that Okta's lists are mostly asked with:
// terms of eq, ne, sw and co, joined by "and" or by "or".
type filter struct {
	terms []term
	any   bool
}

var (
	termShape = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9_.]{0,60})\s+(eq|ne|sw|co)\s+("(?:[^"\\]|\\.)*"|true|false)\s*`)
	joinShape = regexp.MustCompile(`^(?i)(and|or)\s`)
)

const maxFilter = 2 << 10 // bytes

func parseFilter(text string) (*filter, *apiError) {
	if len(text) > maxFilter {
		return nil, badSearch("the expression is too long")
	}
	f, join := &filter{}, ""
	for {
		m := termShape.FindStringSubmatch(text)
		if m == nil {
			return nil, badSearch(`want terms such as status eq "ACTIVE", joined by and, or by or; got ` + quote(text))
		}
		value := m[3]
		if strings.HasPrefix(value, `"`) {
			v, err := strconv.Unquote(value)
			if err != nil {
				return nil, badSearch("this isn't a string: " + cut(value))
			}
			value = v
		}
		f.terms = append(f.terms, term{m[1], m[2], value})
		if text = text[len(m[0]):]; text == "" {
			return f, nil
		}
		m = joinShape.FindStringSubmatch(text)
		if m == nil || join != "" && !strings.EqualFold(join, m[1]) {
			return nil, badSearch("terms are joined by and, or by or; parentheses aren't understood")
		}
		join, text = m[1], text[len(m[0]):]
		f.any = strings.EqualFold(join, "or")
	}
}

// matches asks for the values of a name; nil says that there is no such name.
func (f *filter) matches(values func(string) []string) (bool, *apiError) {
	for _, t := range f.terms {
		vs := values(t.name)
		if vs == nil {
			return false, badSearch("the attribute " + quote(t.name) + " can't be searched by")
		}
		hit := slices.ContainsFunc(vs, t.holds)
		if t.op == "ne" {
			hit = !slices.ContainsFunc(vs, func(v string) bool { return strings.EqualFold(v, t.value) })
		}
		if hit == f.any {
			return hit, nil
		}
	}
	return !f.any, nil
}

func (t term) holds(v string) bool {
	v, want := strings.ToLower(v), strings.ToLower(t.value)
	switch t.op {
	case "sw":
		return strings.HasPrefix(v, want)
	case "co":
		return strings.Contains(v, want)
	}
	return v == want
}

// selected are the members of a list that the query's filter or search takes.
func selected[T any](c *call, list []T, values func(T, string) []string) ([]T, *apiError) {
	for _, name := range []string{"filter", "search"} {
		text := c.r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		f, err := parseFilter(text)
		if err != nil {
			return nil, err
		}
		var kept []T
		for _, x := range list {
			hit, err := f.matches(func(n string) []string { return values(x, n) })
			if err != nil {
				return nil, err
			}
			if hit {
				kept = append(kept, x)
			}
		}
		list = kept
	}
	return list, nil
}
