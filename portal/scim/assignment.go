package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// An assignment is an operation on one attribute.
type assignment struct {
	verb verb
	path path
	raw  json.RawMessage
	from source
}

// A source is the place in a request where an attribute is named.
type source int

const (
	// inPath: in the path of a PATCH operation.
	inPath source = iota
	// inValue: in the value of a PATCH operation without a path. Unknown and read-only attributes are dropped.
	inValue
	// inResource: in the body of POST and PUT. Like inValue, but null is the same as no value (RFC 7643 2.5).
	inResource
)

// listed returns an assignment for each attribute of an object. A name that no attribute can have is refused: it may be
// a misspelling, and a success response means that the whole request was carried out.
func listed(v verb, fields []field, schema string, from source) ([]assignment, *Error) {
	fields, err := unwrapped(fields, schema)
	if err != nil {
		return nil, err
	}
	out := make([]assignment, 0, len(fields))
	for _, f := range fields {
		p, err := parsePath(f.name, schema)
		if err != nil {
			return nil, unknownAttribute(from, f.name)
		}
		if significant(p) && slices.ContainsFunc(out, func(a assignment) bool { return a.path.attr == p.attr }) {
			return nil, refuse(ReasonInvalidSyntax, "attributes", "each attribute once", f.name)
		}
		out = append(out, assignment{v, p, f.raw, from})
	}
	return out, nil
}

// unwrapped moves attributes that are in an object below the URN of their own schema up to the other attributes. RFC
// 7643 3.3 has this form for extensions.
func unwrapped(fields []field, schema string) ([]field, *Error) {
	out := make([]field, 0, len(fields))
	for _, f := range fields {
		if !strings.EqualFold(f.name, schema) {
			out = append(out, f)
			continue
		}
		inner, err := object(f.raw, maxFields, schema)
		if err != nil {
			return nil, err
		}
		out = append(out, inner...)
	}
	return out, nil
}

// resourceBody reads the body of POST and PUT.
func (s *Server) resourceBody(c *call, schema string) ([]assignment, *Error) {
	raw, err := s.read(c)
	if err != nil {
		return nil, err
	}
	fields, err := body(raw, schema)
	if err != nil {
		return nil, err
	}
	return listed(replace, fields, schema, inResource)
}

func setAll[T any](to *T, list []assignment, set func(*T, assignment) *Error) *Error {
	for _, a := range list {
		if err := set(to, a); err != nil {
			return err
		}
	}
	return nil
}

// unknown handles an attribute or a sub-attribute that no schema defines. It is refused in a path, or if it may be a
// misspelling, and otherwise dropped.
func unknown(a assignment) *Error {
	if a.from == inPath || significant(a.path) || resembles(a.path) || wraps(a.raw) {
		return unknownAttribute(a.from, strings.TrimSuffix(a.path.attr+"."+a.path.sub, "."))
	}
	return nil
}

// unknownAttribute returns the error for a name that is not an attribute of the schema. Only a PATCH has paths (RFC
// 7644 3.12, table 9).
func unknownAttribute(from source, name string) *Error {
	if from == inResource {
		return refuse(ReasonInvalidSyntax, "attribute", "an attribute of the schema, spelt as there", name)
	}
	return refuse(ReasonInvalidPath, "path", "an attribute of the schema, spelt as there", name)
}

// readOnly handles an attribute that the client may repeat but not change.
func readOnly(a assignment) *Error {
	if a.from != inPath {
		return nil
	}
	return refuse(ReasonMutability, "path", "an attribute that is not read-only", a.path.attr)
}

// checkID accepts the resource's own ID, which Okta sends, and refuses another.
func checkID(id string, a assignment) *Error {
	got, err := text(a.raw, "id")
	if err != nil {
		return err
	}
	if a.verb == remove || (got != id && id != "" && got != "") {
		return refuse(ReasonMutability, "id", "no change", got)
	}
	return nil
}

// setText assigns a string unchanged.
func setText(to *string, a assignment, required bool) *Error {
	if a.verb == remove && required { // RFC 7644 3.5.2.2
		return refuse(ReasonMutability, a.path.attr, "no removal of a required attribute", "")
	}
	s := ""
	if a.verb != remove {
		var err *Error
		if s, err = text(a.raw, a.path.attr); err != nil {
			return err
		}
	}
	if s == "" && required {
		return refuse(ReasonInvalidValue, a.path.attr, "a value for a required attribute", "")
	}
	*to = s
	return nil
}

// setLabel assigns a string that is only displayed. It removes space at either end, which is common in directories.
func setLabel(to *string, a assignment) *Error {
	err := setText(to, a, false)
	*to = strings.TrimSpace(*to)
	return err
}
