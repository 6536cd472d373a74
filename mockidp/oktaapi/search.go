package oktaapi

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is an attribute that a list can be searched and sorted by.
type field[T any] struct {
	text func(T) []string  // its values, none if it has none
	time func(T) time.Time // instead of text: a time, zero for never
}

// present says that there is a value.
func (f field[T]) present(x T) bool {
	if f.time != nil {
		return !f.time(x).IsZero()
	}
	return slices.ContainsFunc(f.text(x), func(v string) bool { return v != "" })
}

// fields gives the attribute of a name, or false. Names are as they stand: at
// Okta their case matters.
type fields[T any] func(name string) (field[T], bool)

// selected are the members of a list that the query's filter and search take.
// As at Okta the case of a text matters to a filter, not to a search.
func selected[T any](c *call, list []T, by fields[T]) ([]T, *apiError) {
	for _, name := range []string{"filter", "search"} {
		text := c.r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		e, err := parseFilter(text)
		if err != nil {
			return nil, err
		}
		takes, err := compile(e, by, name == "search")
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(slices.Clone(list), func(x T) bool { return !takes(x) })
	}
	return list, nil
}

// compile finds the attributes before anything is compared, so that a name that
// isn't known is refused whatever the list holds.
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
		switch holds := func(part func(T) bool) bool { return part(x) }; e.op {
		case "or":
			return slices.ContainsFunc(parts, holds)
		case "not":
			return !parts[0](x)
		}
		return !slices.ContainsFunc(parts, func(part func(T) bool) bool { return !part(x) })
	}, nil
}

func compileTerm[T any](e *expr, by fields[T], fold bool) (func(T) bool, *apiError) {
	f, known := by(e.name)
	if !known {
		return nil, badSearch("the attribute " + quote(e.name) + " can't be searched by")
	}
	switch {
	case e.op == "pr" || e.value.kind == '0' && e.op == "ne":
		return f.present, nil
	case e.value.kind == '0': // eq null
		return func(x T) bool { return !f.present(x) }, nil
	case f.time != nil:
		return compileTime(e, f.time)
	}
	compares := e.value.comparer(e.op, fold)
	if e.op == "ne" {
		return func(x T) bool { return !slices.ContainsFunc(f.text(x), compares) }, nil
	}
	return func(x T) bool { return slices.ContainsFunc(f.text(x), compares) }, nil
}

// comparer compares one value with the literal; ne is for the caller to turn
// around, because it is about all values.
func (l literal) comparer(op string, fold bool) func(string) bool {
	if l.kind == 'n' {
		want, _ := strconv.ParseFloat(l.text, 64) // JSON let it pass
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

// ordered says whether the outcome of a comparison is what the operator asks for.
func ordered(op string, outcome int) bool {
	switch op {
	case "gt":
		return outcome > 0
	case "ge":
		return outcome >= 0
	case "lt":
		return outcome < 0
	case "le":
		return outcome <= 0
	}
	return outcome == 0
}

// compileTime compares to the millisecond, as times are shown.
func compileTime[T any](e *expr, at func(T) time.Time) (func(T) bool, *apiError) {
	want, err := time.Parse(time.RFC3339, e.value.text)
	if err != nil || e.value.kind != 's' || e.op == "co" || e.op == "sw" || e.op == "ew" {
		return nil, badSearch(quote(e.name) + ` is a time: compare it by eq, ne, gt, ge, lt or le with one such as "2026-01-31T12:00:00.000Z"`)
	}
	return func(x T) bool {
		t := at(x).Truncate(time.Millisecond)
		if e.op == "ne" {
			return !t.Equal(want)
		}
		return !t.IsZero() && ordered(e.op, t.Compare(want))
	}, nil
}
