package oktaapi

import (
	"encoding/json"
	"strings"
	"time"
)

// Unexplained returns the names of the message viewer's lines without an explanation.
func Unexplained(xml []byte) []string {
	var out []string
	for _, l := range explain(xml) {
		if l.What == "" {
			out = append(out, l.Name)
		}
	}
	return out
}

// MatchFilter matches a filter with one member of a list that has these attributes.
// Those other than status and profile.* are times.
func MatchFilter(text string, has map[string][]string, search bool) (bool, error) {
	e, aerr := parseFilter(text)
	if aerr != nil {
		return false, aerr
	}
	takes, aerr := compile(e, func(name string) (field[int], bool) {
		vs, known := has[name]
		if name == "status" || strings.HasPrefix(name, "profile.") {
			return field[int]{values: func(int) []string { return vs }}, known
		}
		return instant(func(int) time.Time {
			if len(vs) == 0 {
				return time.Time{}
			}
			t, err := time.Parse(time.RFC3339, vs[0])
			if err != nil {
				panic(err)
			}
			return t
		}), known
	}, search)
	if aerr != nil {
		return false, aerr
	}
	return takes(0), nil
}

// WriteFilter parses a filter and prints it with all possible parentheses.
func WriteFilter(text string) (out string, terms, depth int, ok bool) {
	e, err := parseFilter(text)
	if err != nil {
		return "", 0, 0, false
	}
	var write func(e *expr, at int) string
	write = func(e *expr, at int) string {
		depth = max(depth, at)
		var parts []string
		for _, x := range e.of {
			parts = append(parts, "("+write(x, at+1)+")")
		}
		switch {
		case e.op == "not":
			return "not " + parts[0]
		case len(parts) > 0:
			return strings.Join(parts, " "+e.op+" ")
		}
		terms++
		value := e.value.text
		if e.value.kind == 's' {
			b, _ := json.Marshal(value)
			value = string(b)
		}
		return strings.TrimRight(e.name+" "+e.op+" "+value, " ")
	}
	return write(e, 0), terms, depth, true
}
