package saml

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// plan is what a [Decoder] knows about its type. It is made once, because it takes longer
// than an assertion.
type plan struct {
	fields []field
	uses   map[string][]use // by the Name of the attribute
}

// use is one attribute of one field. The alternative with the lowest rank counts.
type use struct{ field, rank int }

// field is a field with a tag.
type field struct {
	name       string // for errors
	attributes string // for errors
	title      AttributeName
	index      []int
	kind       valueKind
	slice      bool
	tag
}

// tag is a parsed struct tag.
type tag struct {
	names            []string
	required, nameID bool
	format           string // empty: any
	fallback         string
}

// The NameFormats of Core 8.2.
const (
	nameFormatPrefix      = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
	nameFormatUnspecified = nameFormatPrefix + "unspecified"
)

func (t *tag) acceptsFormat(format string) bool {
	return t.format == "" || t.format == format || format == "" && t.format == nameFormatUnspecified
}

func newPlan(of reflect.Type, tables []Names) (*plan, error) {
	name := of.Name()
	if of.Kind() != reflect.Struct {
		return nil, configError("NewDecoder", "%s is not a struct", of)
	}
	p := &plan{uses: make(map[string][]use)}
	for _, sf := range reflect.VisibleFields(of) {
		text, tagged := sf.Tag.Lookup("saml")
		if !tagged || text == "-" {
			continue
		}
		f, err := newField(of, sf, text, tables)
		if err != nil {
			err.Rule = strings.TrimPrefix(name+"."+sf.Name, ".")
			return nil, err
		}
		f.name = strings.TrimPrefix(name+"."+sf.Name, ".")
		for rank, attribute := range f.names {
			p.uses[attribute] = append(p.uses[attribute], use{len(p.fields), rank})
		}
		p.fields = append(p.fields, *f)
	}
	if len(p.fields) == 0 {
		return nil, configError("NewDecoder", "%s has no field with a saml tag", of)
	}
	return p, nil
}

func newField(of reflect.Type, sf reflect.StructField, text string, tables []Names) (*field, *Error) {
	if !sf.IsExported() {
		return nil, configError("", "is not exported")
	}
	for i := range sf.Index[:len(sf.Index)-1] {
		if of.FieldByIndex(sf.Index[:i+1]).Type.Kind() == reflect.Pointer {
			return nil, configError("", "is in an embedded pointer")
		}
	}
	t, err := parseTag(text, tables)
	if err != nil {
		return nil, err
	}
	f := &field{index: sf.Index, tag: t, attributes: strings.Join(t.names, "|")}
	if t.nameID {
		f.attributes, f.title = "NameID of the subject", AttributeName{FriendlyName: "NameID"}
	} else {
		f.title = titleOf(text, t.names, tables)
	}
	element := sf.Type
	if element.Kind() == reflect.Slice {
		element, f.slice = element.Elem(), true
	}
	f.kind = kindOf(element)
	switch {
	case f.kind == 0 || f.slice && element.Kind() == reflect.Uint8:
		return nil, configError("", "the type %s is not supported", sf.Type)
	case t.nameID && (f.slice || f.kind != kindNameID && f.kind != kindString):
		return nil, configError("", "a NameID needs the type NameID or string, not %s", sf.Type)
	case t.fallback == "":
		return f, nil
	case f.kind.structured():
		return nil, configError("", "the type %s can't have a default", sf.Type)
	}
	into := reflect.New(element).Elem()
	if err := new(reader).value(f.kind, "", AttributeValue{Text: t.fallback}, into); err != nil {
		return nil, configError("", "the default %s is not %s", quote(t.fallback), err.Want)
	}
	return f, nil
}

// parseTag reads "name|name,option,default=text".
func parseTag(text string, tables []Names) (tag, *Error) {
	var t tag
	names, options, more := strings.Cut(text, ",")
	for more {
		var option string
		if fallback, ok := strings.CutPrefix(options, "default="); ok {
			if fallback == "" {
				return t, configError("", "the default is empty")
			}
			t.fallback = fallback
			break
		}
		option, options, more = strings.Cut(options, ",")
		format, isFormat := strings.CutPrefix(option, "format=")
		switch {
		case option == "required":
			t.required = true
		case option == "nameid":
			t.nameID = true
		case isFormat && slices.Contains([]string{"basic", "uri", "unspecified"}, format):
			t.format = nameFormatPrefix + format
		case isFormat && strings.Contains(format, ":"):
			t.format = format
		default:
			return t, configError("", "unknown option %s", quote(option))
		}
	}
	switch {
	case t.required && t.fallback != "":
		return t, configError("", "is required and has a default")
	case t.nameID && (names != "" || t.format != ""):
		return t, configError("", "nameid takes no name and no format")
	case t.nameID:
		return t, nil
	}
	for name := range strings.SplitSeq(names, "|") {
		for _, attribute := range resolve(name, tables) {
			if attribute == "" {
				return t, configError("", "the name of an attribute is empty")
			}
			if !slices.Contains(t.names, attribute) {
				t.names = append(t.names, attribute)
			}
		}
	}
	return t, nil
}

// resolve returns the attributes that a name in a tag stands for.
func resolve(name string, tables []Names) []string {
	var out []string
	for _, table := range tables {
		out = append(out, table[name]...)
	}
	if len(out) == 0 {
		return []string{name}
	}
	return out
}

// valueKind is how a value is read. Zero: it can't be.
type valueKind int

const (
	kindString valueKind = iota + 1
	kindBool
	kindInt
	kindUint
	kindTime
	kindScoped
	kindNameID
	kindValue
)

// structured reports whether a kind has no form as plain text.
func (k valueKind) structured() bool { return k == kindScoped || k == kindNameID || k == kindValue }

func kindOf(t reflect.Type) valueKind {
	switch t {
	case reflect.TypeFor[time.Time]():
		return kindTime
	case reflect.TypeFor[Scoped]():
		return kindScoped
	case reflect.TypeFor[NameID]():
		return kindNameID
	case reflect.TypeFor[AttributeValue]():
		return kindValue
	case reflect.TypeFor[time.Duration](): // not a number of nanoseconds
		return 0
	}
	switch {
	case t.Kind() == reflect.String:
		return kindString
	case t.Kind() == reflect.Bool:
		return kindBool
	case reflect.Zero(t).CanInt():
		return kindInt
	case reflect.Zero(t).CanUint() && t.Kind() != reflect.Uintptr:
		return kindUint
	}
	return 0
}
