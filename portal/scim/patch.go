package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxOperations is how many operations a PATCH may have.
const maxOperations = 1000

// A verb is the op of an operation.
type verb string

const (
	add     verb = "add"
	replace verb = "replace"
	remove  verb = "remove"
)

// An operation is one step of a PATCH (RFC 7644 3.5.2).
type operation struct {
	verb verb
	path string
	raw  json.RawMessage // nil: no value
}

// operations parses all operations of a PATCH before any is made.
func operations(raw []byte) ([]operation, *Error) {
	fields, err := body(raw, schemaPatch)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	for _, f := range fields {
		if strings.EqualFold(f.name, "Operations") {
			list, err = elements(f.raw, maxOperations, "Operations")
		} else {
			err = otherField(f.name, "Operations")
		}
		if err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		return nil, refuse(ReasonInvalidSyntax, "Operations", "at least one", "")
	}
	out := make([]operation, len(list))
	for i, one := range list {
		if out[i], err = parseOperation(one); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseOperation(raw json.RawMessage) (operation, *Error) {
	var op operation
	fields, err := object(raw, maxFields, "operation")
	if err != nil {
		return op, err
	}
	name := ""
	for _, f := range fields {
		switch strings.ToLower(f.name) {
		case "op":
			name, err = text(f.raw, "op")
		case "path":
			op.path, err = text(f.raw, "path")
		case "value":
			op.raw = f.raw
		default:
			err = otherField(f.name, "op", "path", "value")
		}
		if err != nil {
			return op, err
		}
	}
	op.verb = verb(strings.ToLower(name)) // Entra ID capitalises them
	switch {
	case op.verb != add && op.verb != replace && op.verb != remove:
		return op, refuse(ReasonInvalidSyntax, "op", "add, replace or remove", name)
	case op.verb == remove && op.path == "":
		return op, refuse(ReasonNoTarget, "path of remove", "an attribute", "")
	case op.verb != remove && op.raw == nil:
		return op, refuse(ReasonInvalidValue, "value of "+string(op.verb), "a value", "")
	}
	return op, nil
}

// otherField accepts further fields, such as the name that Entra ID gives an
// operation, but not a misspelling of a known field.
func otherField(name string, known ...string) *Error {
	plain, ok := attribute(name, "")
	if !ok || slices.ContainsFunc(known, func(k string) bool { return letters(plain) == letters(strings.ToLower(k)) }) {
		return refuse(ReasonInvalidSyntax, "field", "one of "+strings.Join(known, ", "), name)
	}
	return nil
}
