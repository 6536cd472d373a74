package scim

import (
	"strings"
	"unicode/utf8"
)

// The limits of a filter. Clients send one or two terms.
const (
	maxFilter      = 2048 // bytes
	maxTerms       = 8
	maxFilterDepth = 8 // nested parentheses and brackets
)

// An operator is an operator of RFC 7644 3.4.2.2. A value path says that one value of a multi-valued attribute
// matches the filter in brackets.
type operator string

const (
	opAnd       operator = "and"
	opOr        operator = "or"
	opNot       operator = "not"
	opValuePath operator = "[]"
	opEqual     operator = "eq"
	opNotEqual  operator = "ne"
	opPresent   operator = "pr"
)

// comparisons holds the operators that take a value, for attributes that have one.
var comparisons = map[operator]func(value, want string) bool{
	opEqual:    func(value, want string) bool { return value == want },
	opNotEqual: func(value, want string) bool { return value != want },
	"co":       strings.Contains,
	"sw":       strings.HasPrefix,
	"ew":       strings.HasSuffix,
	"gt":       func(value, want string) bool { return value > want },
	"ge":       func(value, want string) bool { return value >= want },
	"lt":       func(value, want string) bool { return value < want },
	"le":       func(value, want string) bool { return value <= want },
}

// A filter is a filter of RFC 7644 3.4.2.2, as a tree. It is immutable.
type filter struct {
	op operator
	// attr is the attribute of a comparison or a value path, in lower case and without its schema's URN.
	attr string
	// value is the compared value: a string, bool or json.Number, or nil for null.
	value   any
	anyCase bool      // set by bind: value is folded, so the attribute's value must be folded too
	args    []*filter // of and and or: at least two; of not and a value path: one
}

// parseFilter parses the filter of a list. The grammar is RFC 7644's and one form of Entra ID's: a comparison
// after a value path is one more term inside it (emails[type eq "work"].value eq "x").
//
// Values without quotes, which some documentation shows, are refused: compValue is JSON. If a guess found no user, the
// client would create a second one.
func parseFilter(s, schema string) (*filter, *Error) {
	switch {
	case len(s) > maxFilter:
		return nil, refuse(ReasonTooMany, "filter", "at most 2048 bytes", "")
	case !utf8.ValidString(s):
		return nil, refuse(ReasonInvalidFilter, "filter", "valid UTF-8", "")
	}
	p := &filterParser{rest: s, schema: schema}
	f, err := p.filter(0, false)
	if err != nil {
		return nil, err
	}
	if p.spaces(); p.rest != "" {
		return nil, refuse(ReasonInvalidFilter, "filter", `"and", "or" or the end`, p.rest)
	}
	return f, nil
}
