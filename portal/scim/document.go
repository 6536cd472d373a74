package scim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// How many attributes one JSON object may have, and one that is a name.
const (
	maxFields     = 1000
	maxNameFields = 100
)

// A field is one member of a JSON object.
type field struct {
	name string // as it was written
	raw  json.RawMessage
}

// object reads a JSON object. Names are case-insensitive (RFC 7643 2.1), so two
// that differ in case only are one name with two values, and refused.
func object(raw []byte, most int, what string) ([]field, *Error) {
	bad := func(want string) ([]field, *Error) { return nil, refuse(ReasonInvalidSyntax, what, want, "") }
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return bad("a JSON object")
	}
	var out []field
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, isText := t.(string)
		var f field
		if err != nil || !isText || d.Decode(&f.raw) != nil {
			return bad("a JSON object")
		}
		f.name = name
		key := strings.ToLower(name)
		switch {
		case seen[key]:
			return nil, refuse(ReasonInvalidSyntax, what, "each attribute once", name)
		case len(out) == most:
			return bad("at most " + strconv.Itoa(most) + " attributes")
		}
		seen[key] = true
		out = append(out, f)
	}
	return out, nil
}

// elements takes a JSON list apart, and stops at the first element that is one
// too many: a list of nothings would else become many times its size.
func elements(raw []byte, most int, what string) ([]json.RawMessage, *Error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, refuse(ReasonInvalidSyntax, what, "a list", "")
	}
	var out []json.RawMessage
	for d.More() {
		var one json.RawMessage
		if len(out) == most {
			return nil, refuse(ReasonTooLarge, what, "at most "+strconv.Itoa(most), "")
		}
		if d.Decode(&one) != nil {
			return nil, refuse(ReasonInvalidSyntax, what, "a list", "")
		}
		out = append(out, one)
	}
	return out, nil
}

// body reads the object that a request consists of, and checks that schemas,
// if it is there, names the one that is expected. Some clients leave it out.
func body(raw []byte, schema string) ([]field, *Error) {
	// Go's decoder puts U+FFFD for what is not UTF-8, and two names that the
	// client tells apart would be one.
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, refuse(ReasonInvalidSyntax, "body", "valid JSON in UTF-8", "")
	}
	fields, err := object(raw, maxFields, "body")
	if err != nil {
		return nil, err
	}
	out := fields[:0]
	for _, f := range fields {
		if !strings.EqualFold(f.name, "schemas") {
			out = append(out, f)
			continue
		}
		if !listsSchema(f.raw, schema) {
			return nil, refuse(ReasonInvalidSyntax, "schemas", "a list with "+schema, string(f.raw))
		}
	}
	return out, nil
}

// maxSchemas caps the list that the expected schema is looked for in.
const maxSchemas = 100

func listsSchema(raw json.RawMessage, schema string) bool {
	list, err := elements(raw, maxSchemas, "schemas")
	return err == nil && slices.ContainsFunc(list, func(one json.RawMessage) bool {
		s, err := text(one, "schemas")
		return err == nil && strings.EqualFold(s, schema)
	})
}

// scalar unwraps a single value that came as a list of one complex value, as
// in [{"$ref":null,"value":"False"}]: older Entra ID apps send that.
func scalar(raw json.RawMessage) any {
	var v any
	if len(raw) > 4*maxPath || json.Unmarshal(raw, &v) != nil {
		return raw // of no type that anybody wants
	}
	if list, ok := v.([]any); ok && len(list) == 1 {
		if m, ok := list[0].(map[string]any); ok {
			return m["value"]
		}
	}
	return v
}

// text reads a string; null is the empty one (RFC 7643 2.5).
func text(raw json.RawMessage, what string) (string, *Error) {
	switch v := scalar(raw).(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", refuse(ReasonInvalidValue, what, "a string", string(raw))
}

// truth reads a boolean, also one in a string: Entra ID sends "False".
func truth(raw json.RawMessage, what string) (bool, *Error) {
	switch v := scalar(raw).(type) {
	case bool:
		return v, nil
	case string:
		if b, ok := boolean(v); ok {
			return b, nil
		}
	}
	return false, refuse(ReasonInvalidValue, what, "true or false", string(raw))
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// number reads a query parameter that counts something.
func number(s, what string, missing int) (int, *Error) {
	if s == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, refuse(ReasonInvalidValue, what, "a number", s)
	}
	return n, nil
}
