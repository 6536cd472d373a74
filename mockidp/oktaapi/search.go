package oktaapi

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// field is an attribute that lists can be searched and sorted by.
type field[T any] struct {
	values func(T) []string // none if the member has none
	isTime bool             // the values are stamps
}

// fields returns the attribute of a name. Names are case-sensitive, as at Okta.
type fields[T any] func(name string) (f field[T], known bool)

func text[T any](f func(T) string) field[T] {
	return field[T]{values: func(x T) []string { return []string{f(x)} }}
}

func instant[T any](f func(T) time.Time) field[T] {
	return field[T]{isTime: true, values: func(x T) []string {
		t := f(x)
		if t.IsZero() {
			return nil
		}
		return []string{stamp(t)}
	}}
}

// userFields returns the attributes of users: as at Okta the profile and some of the attributes outside it.
func (v view) userFields(name string) (field[mockidp.User], bool) {
	attribute, profile := strings.CutPrefix(name, "profile.")
	if profile && userExpression.MatchString("user."+attribute) {
		// There is no schema: any attribute may be missing.
		return field[mockidp.User]{values: func(u mockidp.User) []string { return u.Values(attribute) }}, true
	}
	f, known := map[string]field[mockidp.User]{
		"id":            text(func(u mockidp.User) string { return u.ID }),
		"status":        text(func(u mockidp.User) string { return statusWords[u.Status] }),
		"created":       instant(func(u mockidp.User) time.Time { return v.UserTimes(u.ID).Created }),
		"activated":     instant(func(u mockidp.User) time.Time { return v.UserTimes(u.ID).Activated }),
		"statusChanged": instant(func(u mockidp.User) time.Time { return v.UserTimes(u.ID).StatusChanged }),
		"lastUpdated":   instant(func(u mockidp.User) time.Time { return v.UserTimes(u.ID).Updated }),
	}[name]
	return f, known
}

func (v view) groupFields(name string) (field[mockidp.Group], bool) {
	f, known := map[string]field[mockidp.Group]{
		"id":                    text(func(g mockidp.Group) string { return g.ID }),
		"type":                  text(groupType),
		"profile.name":          text(func(g mockidp.Group) string { return g.Name }),
		"profile.description":   text(func(g mockidp.Group) string { return g.Description }),
		"created":               instant(func(g mockidp.Group) time.Time { return v.GroupTimes(g.ID).Created }),
		"lastUpdated":           instant(func(g mockidp.Group) time.Time { return v.GroupTimes(g.ID).Updated }),
		"lastMembershipUpdated": instant(func(g mockidp.Group) time.Time { return v.GroupTimes(g.ID).Membership }),
	}[name]
	return f, known
}

func (v view) appFields(name string) (field[mockidp.App], bool) {
	f, known := map[string]field[mockidp.App]{
		"id":                      text(func(a mockidp.App) string { return a.ID }),
		"status":                  text(appStatus),
		"name":                    text(oktaName),
		"label":                   text(func(a mockidp.App) string { return a.Label }),
		"created":                 instant(func(a mockidp.App) time.Time { return v.AppTimes(a.ID).Created }),
		"lastUpdated":             instant(func(a mockidp.App) time.Time { return v.AppTimes(a.ID).Updated }),
		"credentials.signing.kid": text(func(a mockidp.App) string { return v.signingKey(a.ID) }),
		"user.id":                 {values: assignees(sync.OnceValue(v.Users))},
		"group.id": {values: func(a mockidp.App) []string {
			return shown(a.Groups, func(name string) string { g, _ := v.Group(name); return g.ID })
		}},
	}[name]
	return f, known
}

// assignees returns the IDs of the users who can use an app.
func assignees(users func() []mockidp.User) func(mockidp.App) []string {
	return func(a mockidp.App) []string {
		var out []string
		for _, u := range users() {
			if !a.Inactive && a.AssignedTo(u) {
				out = append(out, u.ID)
			}
		}
		return out
	}
}

// compile looks up the attributes before any comparison, so that an unknown name is refused even if the list is
// empty. fold makes comparisons case-insensitive.
func compile[T any](e *expr, by fields[T], fold bool) (func(T) bool, *apiError) {
	if len(e.of) == 0 {
		return compileTerm(e, by, fold)
	}
	var parts []func(T) bool
	for _, x := range e.of {
		part, err := compile(x, by, fold)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return func(x T) bool {
		switch e.op {
		case "or":
			return slices.ContainsFunc(parts, func(part func(T) bool) bool { return part(x) })
		case "not":
			return !parts[0](x)
		}
		return !slices.ContainsFunc(parts, func(part func(T) bool) bool { return !part(x) })
	}, nil
}

func compileTerm[T any](e *expr, by fields[T], fold bool) (func(T) bool, *apiError) {
	f, known := by(e.name)
	if !known {
		return nil, badSearch("lists can't be searched by the attribute " + quote(e.name))
	}
	value, negate := e.value, e.op == "ne" // ne is the opposite of eq over all values
	compares := func(v string) bool { return v != "" }
	switch isNull := value.kind == '0'; {
	case e.op == "pr":
	case isNull:
		negate = e.op == "eq"
	case f.isTime:
		t, err := time.Parse(time.RFC3339, value.text)
		if err != nil || value.kind != 's' || e.op == "co" || e.op == "sw" || e.op == "ew" {
			return nil, badSearch(quote(e.name) + ` is a time: want eq, ne, gt, ge, lt or le, and a value such as ` +
				`"2026-01-31T12:00:00.000Z"`)
		}
		value.text = stamp(t)
		fallthrough
	default:
		compares = value.comparer(e.op, fold)
	}
	return func(x T) bool { return slices.ContainsFunc(f.values(x), compares) != negate }, nil
}

// comparer returns the comparison of one value with the literal; ne compares as eq does.
func (l literal) comparer(op string, fold bool) func(string) bool {
	if l.kind == 'n' {
		want, _ := strconv.ParseFloat(l.text, 64) // a valid JSON number
		return func(v string) bool {
			n, err := strconv.ParseFloat(v, 64)
			return err == nil && ordered(op, cmp.Compare(n, want))
		}
	}
	same := func(s string) string { return s }
	if fold || l.kind == 'b' {
		same = strings.ToLower
	}
	want := same(l.text)
	return func(v string) bool {
		v = same(v)
		switch op {
		case "co":
			return strings.Contains(v, want)
		case "sw":
			return strings.HasPrefix(v, want)
		case "ew":
			return strings.HasSuffix(v, want)
		}
		return ordered(op, cmp.Compare(v, want))
	}
}

// ordered reports whether the result of a comparison satisfies the operator.
func ordered(op string, result int) bool {
	switch op {
	case "gt":
		return result > 0
	case "ge":
		return result >= 0
	case "lt":
		return result < 0
	case "le":
		return result <= 0
	}
	return result == 0
}
