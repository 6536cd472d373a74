package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep the arrays and objects of a body may nest.
const maxDepth = 16

// Decode reads a JSON object into the struct that out points to. It differs from encoding/json in what decides about
// access: a member's name must equal the field's tag exactly, and a duplicate name is refused at every level, so that
// two readers of one body can't see different values. Members that the struct doesn't have are ignored, because clients
// grow; so is a null. Nesting is limited to 16 levels. The error is an *Error with ReasonInput.
func Decode(body []byte, out any) error {
	tree, err := parse(body)
	if err != nil {
		return err
	}
	if _, isObject := tree.(map[string]any); !isObject {
		return badInput("body", "a JSON object", kindOf(tree))
	}
	if e := assign(reflect.ValueOf(out).Elem(), tree, "body"); e != nil {
		return e
	}
	return nil
}

// parse returns a body as maps, slices, strings, booleans, json.Numbers and nil. An empty body is an empty object.
func parse(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return map[string]any{}, nil
	}
	if !utf8.Valid(body) {
		return nil, badInput("body", "UTF-8", "")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	tree, err := value(dec, 1)
	var e *Error
	if errors.As(err, &e) {
		return nil, err
	} else if err != nil {
		return nil, &Error{Reason: ReasonInput, Rule: "body", Want: "JSON"} // the cause quotes the body
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, badInput("body", "one JSON value", "more")
	}
	return tree, nil
}

// value reads one value, which stands at this depth.
func value(dec *json.Decoder, depth int) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, nested := t.(json.Delim)
	if !nested {
		return t, nil
	}
	if depth > maxDepth {
		return nil, badInput("body", "at most 16 levels of arrays and objects", "more")
	}
	if delim == '[' {
		list := []any{}
		for dec.More() {
			v, err := value(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	object := map[string]any{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key := name.(string) // the decoder takes nothing else here
		if _, duplicate := object[key]; duplicate {
			return nil, badInput("body", "members with different names", "a duplicate")
		}
		if object[key], err = value(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = dec.Token()
	return object, err
}

// assign sets a field, a slice's element or a whole struct to a value of the tree.
func assign(to reflect.Value, v any, path string) *Error {
	if v == nil {
		return nil
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return assign(to.Elem(), v, path)
	case reflect.Interface:
		to.Set(reflect.ValueOf(v))
		return nil
	case reflect.Struct:
		return assignStruct(to, v, path)
	case reflect.Slice:
		return assignSlice(to, v, path)
	case reflect.Map:
		return assignMap(to, v, path)
	}
	return assignScalar(to, v, path)
}

func assignScalar(to reflect.Value, v any, path string) *Error {
	switch to.Kind() {
	case reflect.String:
		if s, ok := v.(string); ok {
			to.SetString(s)
			return nil
		}
		return badInput(path, "a string", kindOf(v))
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			to.SetBool(b)
			return nil
		}
		return badInput(path, "true or false", kindOf(v))
	case reflect.Int, reflect.Int32, reflect.Int64:
		if n, ok := v.(json.Number); ok {
			if i, err := strconv.ParseInt(n.String(), 10, to.Type().Bits()); err == nil {
				to.SetInt(i)
				return nil
			}
		}
		return badInput(path, "an integer", kindOf(v))
	case reflect.Float64:
		if n, ok := v.(json.Number); ok {
			if f, err := n.Float64(); err == nil && !math.IsInf(f, 0) {
				to.SetFloat(f)
				return nil
			}
		}
		return badInput(path, "a number", kindOf(v))
	}
	panic("awsapi: no JSON for a field of type " + to.Type().String()) // a mistake in a handler's input type
}

func assignStruct(to reflect.Value, v any, path string) *Error {
	object, ok := v.(map[string]any)
	if !ok {
		return badInput(path, "an object", kindOf(v))
	}
	for i := range to.NumField() {
		name, _, _ := strings.Cut(to.Type().Field(i).Tag.Get("json"), ",")
		if member, ok := object[name]; ok && name != "" && name != "-" {
			if e := assign(to.Field(i), member, name); e != nil {
				return e
			}
		}
	}
	return nil
}

func assignSlice(to reflect.Value, v any, path string) *Error {
	list, ok := v.([]any)
	if !ok {
		return badInput(path, "an array", kindOf(v))
	}
	to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	for i, element := range list {
		if element == nil {
			return badInput(path, "an array without null", "null")
		}
		if e := assign(to.Index(i), element, path); e != nil {
			return e
		}
	}
	return nil
}

func assignMap(to reflect.Value, v any, path string) *Error {
	object, ok := v.(map[string]any)
	if !ok {
		return badInput(path, "an object", kindOf(v))
	}
	to.Set(reflect.MakeMapWithSize(to.Type(), len(object)))
	for name, member := range object {
		element := reflect.New(to.Type().Elem()).Elem()
		if e := assign(element, member, path); e != nil {
			return e
		}
		to.SetMapIndex(reflect.ValueOf(name), element)
	}
	return nil
}

// kindOf names the type of a value, which itself may be a secret.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}
