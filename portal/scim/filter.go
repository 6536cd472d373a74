package scim

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// The limits of a filter. What clients send has one or two terms.
const (
	maxFilter = 2048
	maxTerms  = 8
)

// A term is one comparison, always for equality.
type term struct {
	attr  string // lower case, without the URN of its schema
	value any    // string or bool
}

// parseFilter reads the part of RFC 7644 3.4.2.2 that provisioning clients
// use: terms of the form `attribute eq value`, joined by "and". All of them
// must hold. It reads from left to right once and never calls itself.
func parseFilter(s, schema string) ([]term, *Error) {
	switch {
	case len(s) > maxFilter:
		return nil, refuse(ReasonTooMany, "filter", "at most 2048 bytes", "")
	case !utf8.ValidString(s):
		return nil, refuse(ReasonInvalidFilter, "filter", "valid UTF-8", "")
	}
	var terms []term
	for rest := s; ; {
		if len(terms) == maxTerms {
			return nil, refuse(ReasonTooMany, "filter", "at most 8 terms", "")
		}
		attr, after := word(rest)
		op, after := word(after)
		name, ok := attribute(attr, schema)
		if !ok {
			return nil, refuse(ReasonInvalidFilter, "filter", "the name of an attribute", attr)
		}
		if !strings.EqualFold(op, "eq") {
			return nil, refuse(ReasonInvalidFilter, "operator in filter", "eq, the only one that is supported", op)
		}
		value, after, ok := literal(after)
		if !ok {
			return nil, refuse(ReasonInvalidFilter, "value in filter", "a JSON string, true or false", after)
		}
		terms = append(terms, term{name, value})
		and, after := word(after)
		if and == "" {
			return terms, nil
		}
		if !strings.EqualFold(and, "and") {
			return nil, refuse(ReasonInvalidFilter, "filter", "its end, or and", and)
		}
		rest = after
	}
}

// word returns what comes before the next space, and what comes after it.
func word(s string) (head, rest string) {
	head, rest, _ = strings.Cut(strings.TrimLeft(s, " "), " ")
	return head, rest
}

// literal reads a JSON string, true or false, and returns what comes after.
func literal(s string) (value any, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	if !strings.HasPrefix(s, `"`) {
		w, rest := word(s)
		b, ok := boolean(w)
		if !ok {
			return nil, s, false
		}
		return b, rest, true
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			var text string
			after := s[i+1:]
			if json.Unmarshal([]byte(s[:i+1]), &text) != nil || (after != "" && after[0] != ' ') {
				return nil, s, false
			}
			return text, after, true
		}
	}
	return nil, s, false
}

// boolean reads true and false in any case: Entra ID writes them as Python does.
func boolean(s string) (value, ok bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// attribute checks the name of an attribute and returns it in lower case and
// without the URN of its own schema, if it has it (RFC 7644 3.10). Names are
// case-insensitive (RFC 7643 2.1).
func attribute(s, schema string) (string, bool) {
	s = strings.ToLower(s)
	s = strings.TrimPrefix(s, strings.ToLower(schema)+":")
	if s == "" {
		return "", false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("$_-.:", c) >= 0) {
			return "", false
		}
	}
	return s, true
}
