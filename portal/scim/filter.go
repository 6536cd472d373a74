package scim

import (
	"strings"
	"unicode/utf8"
)

// The limits of a filter. What clients send has one or two terms.
const (
	maxFilter      = 2048
	maxTerms       = 8
	maxFilterDepth = 8 // of nested parentheses and brackets
)

// An operator is what a filter does with its parts.
type operator string

// The operators of RFC 7644 3.4.2.2. A value path says that one value of a
// multi-valued attribute matches the filter in brackets.
const (
	opAnd       operator = "and"
	opOr        operator = "or"
	opNot       operator = "not"
	opValuePath operator = "[]"

	opEqual          operator = "eq"
	opNotEqual       operator = "ne"
	opContains       operator = "co"
	opStartsWith     operator = "sw"
	opEndsWith       operator = "ew"
	opGreater        operator = "gt"
	opGreaterOrEqual operator = "ge"
	opLess           operator = "lt"
	opLessOrEqual    operator = "le"
	opPresent        operator = "pr"
)

// comparisons are the operators that have a value, and what they say of one that
// is there.
var comparisons = map[operator]func(value, want string) bool{
	opEqual:          func(value, want string) bool { return value == want },
	opNotEqual:       func(value, want string) bool { return value != want },
	opContains:       strings.Contains,
	opStartsWith:     strings.HasPrefix,
	opEndsWith:       strings.HasSuffix,
	opGreater:        func(value, want string) bool { return value > want },
	opGreaterOrEqual: func(value, want string) bool { return value >= want },
	opLess:           func(value, want string) bool { return value < want },
	opLessOrEqual:    func(value, want string) bool { return value <= want },
}

// A filter is a filter of RFC 7644 3.4.2.2, as a tree. It never changes.
type filter struct {
	op operator
	// attr is what a comparison or a value path is about: lower case, without
	// the URN of its schema.
	attr string
	// value is what a comparison compares with: a string, bool or json.Number,
	// or nil for null.
	value   any
	anyCase bool      // set by bind: the value is folded, and so is what it is compared with
	args    []*filter // of and and or: at least two; of not and a value path: one
}

// parseFilter reads the filter of a list. The grammar is RFC 7644's, with what
// Entra ID writes added: a comparison behind a value path, which is then one
// more term inside (emails[type eq "work"].value eq "x").
//
// A value without quotes is refused, although texts about provisioning show
// some: compValue is JSON, and where such a value ends would be a guess. To find
// nothing would be worse, since the client would make a second user.
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
