package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// The maximum numbers of operations in a PATCH and of attributes in all of them. An assignment takes many times its
// size in memory.
const (
	maxOperations  = 1000
	maxAssignments = 10_000
)

// A verb is the op of an operation.
type verb string

const (
	add     verb = "add"
	replace verb = "replace"
	remove  verb = "remove"
)

// patchBody reads the body of PATCH (RFC 7644 3.5.2). It checks all operations before any is carried out.
func (s *Server) patchBody(c *call, schema string) ([]assignment, *Error) {
	raw, err := s.read(c)
	if err != nil {
		return nil, err
	}
	fields, err := body(raw, schemaPatch)
	if err != nil {
		return nil, err
	}
	var operations []json.RawMessage
	for _, f := range fields {
		if strings.EqualFold(f.name, "Operations") {
			operations, err = elements(f.raw, maxOperations, "Operations")
		} else {
			err = otherField(f.name, "Operations")
		}
		if err != nil {
			return nil, err
		}
	}
	if len(operations) == 0 {
		return nil, refuse(ReasonInvalidSyntax, "Operations", "at least one", "")
	}
	var out []assignment
	for _, one := range operations {
		list, err := operation(one, schema)
		if err != nil {
			return nil, err
		}
		if out = append(out, list...); len(out) > maxAssignments {
			return nil, refuse(ReasonTooLarge, "Operations", "at most 10000 attributes in all", "")
		}
	}
	return out, nil
}

// operation splits an operation into assignments to single attributes. In an operation without a path, the names in the
// value may be paths: Entra ID sends these.
func operation(raw json.RawMessage, schema string) ([]assignment, *Error) {
	fields, err := object(raw, maxFields, "operation")
	if err != nil {
		return nil, err
	}
	var name, target string
	var value json.RawMessage
	for _, f := range fields {
		switch strings.ToLower(f.name) {
		case "op":
			name, err = text(f.raw, "op")
		case "path":
			target, err = text(f.raw, "path")
		case "value":
			value = f.raw
		default:
			err = otherField(f.name, "op", "path", "value")
		}
		if err != nil {
			return nil, err
		}
	}
	op := verb(strings.ToLower(name)) // Entra ID capitalises them
	switch {
	case op != add && op != replace && op != remove:
		return nil, refuse(ReasonInvalidSyntax, "op", "add, replace or remove", name)
	case op == remove && target == "":
		return nil, refuse(ReasonNoTarget, "path of remove", "an attribute", "")
	case op != remove && value == nil:
		return nil, refuse(ReasonInvalidValue, "value of "+name, "a value", "")
	case target == "":
		if fields, err = object(value, maxFields, "value of an operation without path"); err != nil {
			return nil, err
		}
		return listed(op, fields, schema, inValue)
	}
	p, err := parsePath(target, schema)
	return []assignment{{op, p, value, inPath}}, err
}

// otherField accepts unknown fields, such as the name that Entra ID adds to an operation, but refuses a misspelling of
// a known field.
func otherField(name string, known ...string) *Error {
	plain, ok := attribute(name, "")
	if !ok || slices.ContainsFunc(known, func(k string) bool { return letters(plain) == letters(strings.ToLower(k)) }) {
		return refuse(ReasonInvalidSyntax, "field", "one of "+strings.Join(known, ", "), name)
	}
	return nil
}
