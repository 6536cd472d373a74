package scim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The maximum number of members of a JSON object, and of the object "name".
const (
	maxFields     = 1000
	maxNameFields = 100
)

// A field is a member of a JSON object.
type field struct {
	name string // as the client wrote it
	raw  json.RawMessage
}

// object parses a JSON object with at most this many members. Names are case-insensitive (RFC 7643 2.1), so two that
// differ only in case are refused as duplicates.
func object(raw []byte, most int, what string) ([]field, *Error) {
	notObject := refuse(ReasonInvalidSyntax, what, "a JSON object", "")
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, notObject
	}
	var out []field
	seen := map[string]bool{}
	for d.More() {
		var f field
		t, err := d.Token()
		name, isText := t.(string)
		if err != nil || !isText || d.Decode(&f.raw) != nil {
			return nil, notObject
		}
		f.name = name
		key := strings.ToLower(name)
		switch {
		case seen[key]:
			return nil, refuse(ReasonInvalidSyntax, what, "each attribute once", name)
		case len(out) == most:
			return nil, refuse(ReasonInvalidSyntax, what, "at most "+strconv.Itoa(most)+" attributes", "")
		}
		seen[key] = true
		out = append(out, f)
	}
	return out, nil
}

// elements parses a JSON list and stops at the first element over the limit: a list of empty values would take many
// times its size in memory.
func elements(raw []byte, most int, what string) ([]json.RawMessage, *Error) {
	notList := refuse(ReasonInvalidSyntax, what, "a list", "")
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, notList
	}
	var out []json.RawMessage
	for d.More() {
		var one json.RawMessage
		if len(out) == most {
			return nil, refuse(ReasonTooLarge, what, "at most "+strconv.Itoa(most), "")
		}
		if d.Decode(&one) != nil {
			return nil, notList
		}
		out = append(out, one)
	}
	return out, nil
}

// body parses the object in a request's body. If schemas is present, it must contain the expected schema. Some clients
// omit it.
func body(raw []byte, schema string) ([]field, *Error) {
	// encoding/json replaces invalid UTF-8 by U+FFFD, so two different names could become equal.
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, refuse(ReasonInvalidSyntax, "body", "valid JSON in UTF-8", "")
	}
	fields, err := object(raw, maxFields, "body")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(fields, func(f field) bool { return strings.EqualFold(f.name, "schemas") })
	if i < 0 {
		return fields, nil
	}
	if !listsSchema(fields[i].raw, schema) {
		return nil, refuse(ReasonInvalidSyntax, "schemas", "a list with "+schema, string(fields[i].raw))
	}
	return slices.Delete(fields, i, i+1), nil
}

const maxSchemas = 100 // in the list

func listsSchema(raw json.RawMessage, schema string) bool {
	list, err := elements(raw, maxSchemas, "schemas")
	return err == nil && slices.ContainsFunc(list, func(one json.RawMessage) bool {
		s, err := text(one, "schemas")
		return err == nil && strings.EqualFold(s, schema)
	})
}

// scalar decodes a value. It also accepts a list of one complex value, such as [{"$ref":null,"value":"False"}], which
// older Entra ID apps send.
func scalar(raw json.RawMessage) any {
	var v any
	if len(raw) > 4*maxPath || json.Unmarshal(raw, &v) != nil {
		return raw // a type that every caller refuses
	}
	if list, ok := v.([]any); ok && len(list) == 1 {
		if m, ok := list[0].(map[string]any); ok {
			return m["value"]
		}
	}
	return v
}

// text decodes a string; null is the empty string (RFC 7643 2.5).
func text(raw json.RawMessage, what string) (string, *Error) {
	switch v := scalar(raw).(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", refuse(ReasonInvalidValue, what, "a string", string(raw))
}

// truth decodes a boolean, or one in a string: Entra ID sends "False".
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
