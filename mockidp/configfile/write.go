package configfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// write writes a value as compact JSON.
func write(b *bytes.Buffer, key string, v reflect.Value) error {
	if form, ok := textOf(v.Type()); ok {
		if v.IsZero() {
			return writeJSON(b, key, "")
		}
		s, err := form.format(v.Interface())
		if err != nil {
			return bad(key+": ", "%v", err)
		}
		return writeJSON(b, key, s)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return write(b, key, v.Elem())
	case reflect.Struct:
		return writeStruct(b, key, v)
	case reflect.Map:
		return writeMap(b, key, v)
	case reflect.Slice, reflect.Array:
		return writeList(b, key, v)
	}
	return writeJSON(b, key, v.Interface())
}

func writeJSON(b *bytes.Buffer, key string, v any) error {
	if s := reflect.ValueOf(v); s.Kind() == reflect.String && !utf8.ValidString(s.String()) {
		return bad(key+": ", "not UTF-8 text: %.40q", s.String())
	}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return bad(key+": ", "%v", err)
	}
	return nil
}

// writeStruct leaves zero values out. A pointer to a zero value is none.
func writeStruct(b *bytes.Buffer, key string, v reflect.Value) error {
	comma := ""
	b.WriteByte('{')
	for _, f := range fieldsOf(v.Type()) {
		x := v.Field(f.index)
		if x.IsZero() || (x.Kind() == reflect.Slice || x.Kind() == reflect.Map) && x.Len() == 0 {
			continue
		}
		fmt.Fprintf(b, "%s%q:", comma, f.name)
		if err := write(b, join(key, f.name), x); err != nil {
			return err
		}
		comma = ","
	}
	b.WriteByte('}')
	return nil
}

func writeMap(b *bytes.Buffer, key string, v reflect.Value) error {
	names := v.MapKeys()
	slices.SortFunc(names, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := writeJSON(b, key, name.String()); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := write(b, join(key, name.String()), v.MapIndex(name)); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// writeList writes a list, an array up to its last value that isn't zero.
func writeList(b *bytes.Buffer, key string, v reflect.Value) error {
	n := v.Len()
	for v.Kind() == reflect.Array && n > 0 && v.Index(n-1).IsZero() {
		n--
	}
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := write(b, fmt.Sprintf("%s[%d]", key, i), v.Index(i)); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}
