package scim

import (
	"encoding/json"
	"strings"
)

// An assignment is an operation on one attribute, read as far as it can be
// without knowing the resource.
type assignment struct {
	verb verb
	path path
	raw  json.RawMessage
	// named: the client wrote the path of a PATCH operation, and so means just
	// this attribute. In an object that lists many, one that is unknown or
	// read-only is passed over.
	named bool
}

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
			out = append(out, assignment{op.verb, p, op.raw, true})
			continue
		}
		fields, err := object(op.raw, maxFields, "value of an operation without path")
		if err != nil {
			return nil, err
		}
		out = append(out, listed(op.verb, fields, schema)...)
		if len(out) > maxAssignments {
			return nil, refuse(ReasonTooLarge, "Operations", "at most 10000 attributes in all", "")
		}
	}
	return out, nil
}

// listed makes assignments of the attributes that one object lists.
func listed(v verb, fields []field, schema string) []assignment {
	out := make([]assignment, 0, len(fields))
	for _, f := range fields {
		if p, err := parsePath(f.name, schema); err == nil {
			out = append(out, assignment{v, p, f.raw, false})
		}
	}
	return out
}

// resourceBody reads the body of POST and PUT.
func (s *ServiceProvider) resourceBody(c *call, schema string) ([]assignment, *Error) {
	raw, err := s.read(c)
	if err != nil {
		return nil, err
	}
	fields, err := body(raw, schema)
	if err != nil {
		return nil, err
	}
	return listed(replace, fields, schema), nil
}

// patchBody reads the body of PATCH.
func (s *ServiceProvider) patchBody(c *call, schema string) ([]assignment, *Error) {
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

// unknown is about an attribute that no schema here has.
func unknown(a assignment) *Error {
	if !a.named {
		return nil
	}
	return refuse(ReasonInvalidPath, "path", "an attribute of the schema", strings.TrimSuffix(a.path.attr+"."+a.path.sub, "."))
}

// readOnly is about an attribute that the client may send back but not change.
func readOnly(a assignment) *Error {
	if !a.named {
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
