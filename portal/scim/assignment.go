package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// An assignment is an operation on one attribute, read as far as it can be
// without knowing the resource.
type assignment struct {
	verb verb
	path path
	raw  json.RawMessage
	from source
}

// A source is where a client named an attribute.
type source int

const (
	// inPath: as the path of a PATCH operation. Just this attribute is meant.
	inPath source = iota
	// inValue: in the value of a PATCH operation without a path, which may list
	// many. One that is unknown or read-only is passed over.
	inValue
	// inResource: in the body of POST and PUT, which is treated alike, but that
	// null is the same as silence (RFC 7643 2.5).
	inResource
)

// maxAssignments caps the attributes that one PATCH is about. Each is many times
// its size here, and a body has room for more of them than anybody needs.
const maxAssignments = 10_000

// assignments takes operations apart into single attributes. An operation
// without a path has an object that may use paths as names; Entra ID does.
func assignments(ops []operation, schema string) ([]assignment, *Error) {
	var out []assignment
	for _, op := range ops {
		if op.path != "" {
			p, err := parsePath(op.path, schema)
			if err != nil {
				return nil, err
			}
			out = append(out, assignment{op.verb, p, op.raw, inPath})
			continue
		}
		fields, err := object(op.raw, maxFields, "value of an operation without path")
		if err != nil {
			return nil, err
		}
		list, err := listed(op.verb, fields, schema, inValue)
		if err != nil {
			return nil, err
		}
		if out = append(out, list...); len(out) > maxAssignments {
			return nil, refuse(ReasonTooLarge, "Operations", "at most 10000 attributes in all", "")
		}
	}
	return out, nil
}

// listed makes assignments of the attributes that one object lists. A name that
// no attribute can have is refused: it may be meant for one that has, and to the
// client, success means that what it said was done.
func listed(v verb, fields []field, schema string, from source) ([]assignment, *Error) {
	fields, err := unwrapped(fields, schema)
	if err != nil {
		return nil, err
	}
	out := make([]assignment, 0, len(fields))
	for _, f := range fields {
		p, err := parsePath(f.name, schema)
		if err != nil {
			return nil, unread(from, f.name)
		}
		if significant(p) && slices.ContainsFunc(out, func(a assignment) bool { return a.path.attr == p.attr }) {
			return nil, refuse(ReasonInvalidSyntax, "attributes", "each attribute once", f.name)
		}
		out = append(out, assignment{v, p, f.raw, from})
	}
	return out, nil
}

// unwrapped puts the attributes that are in an object under the URN of their own
// schema, as those of an extension are (RFC 7643 3.3), next to the others.
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

// patchBody reads the body of PATCH.
func (s *Server) patchBody(c *call, schema string) ([]assignment, *Error) {
	raw, err := s.read(c)
	if err != nil {
		return nil, err
	}
	ops, err := operations(raw)
	if err != nil {
		return nil, err
	}
	return assignments(ops, schema)
}

func setAll[T any](to *T, list []assignment, set func(*T, assignment) *Error) *Error {
	for _, a := range list {
		if err := set(to, a); err != nil {
			return err
		}
	}
	return nil
}

// unknown is about an attribute that no schema here has, or a part that an
// attribute doesn't have.
func unknown(a assignment) *Error {
	if a.from == inPath || significant(a.path) || resembles(a.path) || wraps(a.raw) {
		return unread(a.from, strings.TrimSuffix(a.path.attr+"."+a.path.sub, "."))
	}
	return nil
}

// unread refuses a name that isn't read as an attribute of the schema. Only a PATCH
// has paths (RFC 7644 3.12, table 9).
func unread(from source, name string) *Error {
	if from == inResource {
		return refuse(ReasonInvalidSyntax, "attribute", "an attribute of the schema, spelt as there", name)
	}
	return refuse(ReasonInvalidPath, "path", "an attribute of the schema, spelt as there", name)
}

// readOnly is about an attribute that the client may send back but not change.
func readOnly(a assignment) *Error {
	if a.from != inPath {
		return nil
	}
	return refuse(ReasonMutability, "path", "an attribute that is not read-only", a.path.attr)
}

// checkID lets a client repeat the ID, which Okta does, and refuses another.
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

// setText assigns a string that is kept exactly as it came.
func setText(to *string, a assignment, required bool) *Error {
	if a.verb == remove {
		if required { // RFC 7644 3.5.2.2
			return refuse(ReasonMutability, a.path.attr, "to stay: it is required", "")
		}
		*to = ""
		return nil
	}
	s, err := text(a.raw, a.path.attr)
	if err != nil {
		return err
	}
	if s == "" && required {
		return refuse(ReasonInvalidValue, a.path.attr, "a value: it is required", "")
	}
	*to = s
	return nil
}

// setLabel assigns a string that people read. Directories are full of names
// with a space at the end, which is no reason to turn a person away.
func setLabel(to *string, a assignment) *Error {
	if err := setText(to, a, false); err != nil {
		return err
	}
	*to = strings.TrimSpace(*to)
	return nil
}
