package configfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/mockidp"
)

func bad(at, format string, args ...any) error {
	return &mockidp.Error{Reason: mockidp.ReasonConfig, Detail: at + fmt.Sprintf(format, args...)}
}

// reader reads a file token by token, so that each error has a line. It descends only as deep as the fields do.
type reader struct {
	doc  []byte
	json *json.Decoder
}

func newReader(doc []byte) (*reader, error) {
	doc = bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf")) // some editors write a byte order mark
	if len(doc) > maxFile {
		return nil, bad("", "the file is over 8 MiB")
	}
	if !utf8.Valid(doc) {
		return nil, bad("", "the file is not UTF-8 text")
	}
	r := &reader{doc, json.NewDecoder(bytes.NewReader(doc))}
	r.json.UseNumber()
	return r, nil
}

// bad returns an error at the place where the reader is.
func (r *reader) bad(key, format string, args ...any) error {
	return r.badAt(r.json.InputOffset(), key, format, args...)
}

func (r *reader) badAt(offset int64, key, format string, args ...any) error {
	at := fmt.Sprintf("line %d: ", 1+bytes.Count(r.doc[:min(max(offset, 0), int64(len(r.doc)))], []byte("\n")))
	if key != "" {
		at += key + ": "
	}
	return bad(at, format, args...)
}

func (r *reader) token(key string) (json.Token, error) {
	t, err := r.json.Token()
	var wrong *json.SyntaxError
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, r.badAt(int64(len(r.doc)), key, "the JSON ends too early: unexpected EOF")
	case errors.As(err, &wrong):
		return nil, r.badAt(wrong.Offset, key, "invalid JSON: %v", wrong)
	}
	return nil, r.bad(key, "invalid JSON: %v", err)
}

// read reads the next value.
func (r *reader) read(key string, v reflect.Value) error {
	t, err := r.token(key)
	if err != nil || t == nil {
		return err // nil is null
	}
	return r.set(key, t, v)
}

// set sets v to the value that begins with a token.
func (r *reader) set(key string, t json.Token, v reflect.Value) error {
	if form, ok := textOf(v.Type()); ok {
		s, isText := t.(string)
		if !isText {
			return r.wants(key, "text", t)
		}
		if s == "" {
			return nil
		}
		got, err := form.parse(s)
		if err != nil {
			return r.bad(key, "%v", err)
		}
		v.Set(reflect.ValueOf(got))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return r.set(key, t, v.Elem())
	case reflect.Struct:
		return r.object(key, t, func(name string) (reflect.Value, error) { return r.field(key, name, v) })
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		return r.pairs(key, t, v)
	case reflect.Slice, reflect.Array:
		return r.list(key, t, v)
	}
	return r.scalar(key, t, v)
}

func (r *reader) scalar(key string, t json.Token, v reflect.Value) error {
	var err error
	number, isNumber := t.(json.Number)
	switch kind := v.Kind(); {
	case kind == reflect.String:
		s, ok := t.(string)
		if !ok {
			return r.wants(key, "text", t)
		}
		v.SetString(s)
	case kind == reflect.Bool:
		b, ok := t.(bool)
		if !ok {
			return r.wants(key, "true or false", t)
		}
		v.SetBool(b)
	case !isNumber:
		return r.wants(key, "a number", t)
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(number.String(), 10, v.Type().Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(number.String(), 10, v.Type().Bits())
		v.SetUint(n)
	default:
		var n float64
		n, err = number.Float64()
		v.SetFloat(n)
	}
	if err != nil {
		return r.bad(key, "the number %.40s is not a whole number, or out of range", number)
	}
	return nil
}

// wants is the error for a value of another type.
func (r *reader) wants(key, want string, t json.Token) error {
	got := map[json.Token]string{json.Delim('{'): "an object", json.Delim('['): "a list"}[t]
	if got == "" {
		b, _ := json.Marshal(t) // a token of the file
		got = fmt.Sprintf("%.60s", b)
	}
	return r.bad(key, "want %s, got %s", want, got)
}

// object reads an object. where returns the value of a key, which may occur once.
func (r *reader) object(key string, t json.Token, where func(name string) (reflect.Value, error)) error {
	if t != json.Delim('{') {
		return r.wants(key, "an object", t)
	}
	seen := map[string]bool{}
	for r.json.More() {
		t, err := r.token(key)
		if err != nil {
			return err
		}
		name, _ := t.(string) // the decoder returns no other key
		if seen[name] {
			return r.bad(join(key, name), "the key occurs twice")
		}
		seen[name] = true
		v, err := where(name)
		if err == nil {
			err = r.read(join(key, name), v)
		}
		if err != nil {
			return err
		}
	}
	_, err := r.token(key)
	return err
}

func (r *reader) field(key, name string, v reflect.Value) (reflect.Value, error) {
	hint := ""
	for _, f := range fieldsOf(v.Type()) {
		if f.name == name {
			return v.Field(f.index), nil
		}
		if strings.EqualFold(f.name, name) {
			hint = fmt.Sprintf("; want %q", f.name)
		}
	}
	if key == "" {
		key = "the configuration"
	}
	return reflect.Value{}, r.bad(key, "unknown field %.60q%s", name, hint)
}

func (r *reader) pairs(key string, t json.Token, v reflect.Value) error {
	var names []string
	values := reflect.MakeSlice(reflect.SliceOf(v.Type().Elem()), 0, 0)
	err := r.object(key, t, func(name string) (reflect.Value, error) {
		names = append(names, name)
		values = reflect.Append(values, reflect.Zero(v.Type().Elem()))
		return values.Index(values.Len() - 1), nil
	})
	for i, name := range names {
		v.SetMapIndex(reflect.ValueOf(name), values.Index(i))
	}
	return err
}

func (r *reader) list(key string, t json.Token, v reflect.Value) error {
	if t != json.Delim('[') {
		return r.wants(key, "a list", t)
	}
	for i := 0; r.json.More(); i++ {
		switch {
		case v.Kind() == reflect.Slice:
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		case i == v.Len():
			return r.bad(key, "want at most %d values", v.Len())
		}
		if err := r.read(fmt.Sprintf("%s[%d]", key, i), v.Index(i)); err != nil {
			return err
		}
	}
	_, err := r.token(key)
	return err
}

// join returns the path of a key. A key that isn't a plain name is quoted.
func join(key, name string) string {
	plain := func(r rune) bool {
		return r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if name == "" || len(name) > 60 || slices.ContainsFunc([]rune(name), func(r rune) bool { return !plain(r) }) {
		name = fmt.Sprintf("%.60q", name)
	}
	if key == "" {
		return name
	}
	return key + "." + name
}
