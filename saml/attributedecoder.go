package saml

import (
	"fmt"
	"reflect"
	"slices"
)

// Decoder copies the attributes of an assertion into values of the struct type T. It is
// safe for concurrent use.
//
// A field that has a tag gets the values of an attribute:
//
//	type user struct {
//		Mail   string    `saml:"urn:oid:0.9.2342.19200300.100.1.3|mail,required"`
//		Groups []string  `saml:"groups"`
//		Locale string    `saml:"locale,format=basic,default=en"`
//		Until  time.Time `saml:"contractEnd"`
//		Login  NameID    `saml:",nameid"`
//	}
//
// The tag begins with the attribute's Name. Several Names, separated by "|", are
// alternatives: the first one with a value counts. FriendlyNames are never compared,
// because they prove nothing (Core 2.7.3.1). These options follow:
//
//   - required: an assertion without a value is refused.
//   - format=basic, uri, unspecified or another URI: only attributes with this NameFormat
//     count. Otherwise every NameFormat does.
//   - nameid: the field gets the NameID of the subject. There is no Name.
//   - default=TEXT: the value if there is none. It is the last option: commas belong to
//     TEXT.
//
// The type of a field is a string, a bool, an integer, a [time.Time] (xs:boolean,
// xs:integer and xs:dateTime), a [Scoped], a [NameID] (eduPersonTargetedID has one in its
// value), an [AttributeValue], or a slice of one of them. Only a slice accepts several
// values. Empty values and nil ones count as none. The fields of embedded structs are
// included; fields without a tag, or with the tag "-", keep their zero values.
type Decoder[T any] struct{ plan *plan }

// DecoderConfig describes a [Decoder]. Its zero value has no tables.
type DecoderConfig struct {
	// Names lists tables of names: [LDAPNames], [EduPersonNames], [SCHACNames],
	// [MicrosoftNames], [OktaNames] and the program's own. A name in a tag that some of
	// them have stands for their attributes, in this order. Any other name in a tag is the
	// Name of an attribute.
	Names []Names
}

// Names is a table of attribute names: the key is what a tag says, and the values are the
// Names in assertions, the preferred one first.
type Names map[string][]string

// NewDecoder checks the type T and its tags. Call it when the program starts. The error is
// a [*Error] with ReasonConfig that names the field.
func NewDecoder[T any](cfg DecoderConfig) (*Decoder[T], error) {
	p, err := newPlan(reflect.TypeFor[T](), cfg.Names)
	if err != nil {
		return nil, err
	}
	return &Decoder[T]{p}, nil
}

// Decode returns the values of an assertion's attributes. The error is a [*Error] that
// names the attribute and the field. Its Reason is AttributeMissing, AttributeCount,
// AttributeType, Scope or Limit. Its Attributes are all that are missing, or the one that
// can't be used. With an error, the result is the zero value.
func (d *Decoder[T]) Decode(a *Assertion) (T, error) {
	return d.decode(a.a.nameID, a.a.attributes, a.scopes)
}

// DecodeAttributes is Decode for what a program keeps of an assertion, such as in a
// session: its NameID and its Attributes. idp is the identity provider of the assertion,
// whose scopes are compared with the values as they are now. Required.
func (d *Decoder[T]) DecodeAttributes(idp *IdP, id NameID, attributes []Attribute) (T, error) {
	if idp == nil {
		var zero T
		return zero, configError("DecodeAttributes", "the identity provider is missing")
	}
	return d.decode(id, attributes, idp.scopes)
}

func (d *Decoder[T]) decode(id NameID, attributes []Attribute, s *scopes) (T, error) {
	var out T
	if err := d.plan.decode(id, attributes, s, reflect.ValueOf(&out).Elem()); err != nil {
		var zero T
		return zero, err
	}
	return out, nil
}

// DecodeAnswer is Decode for the answer to an attribute query.
func (d *Decoder[T]) DecodeAnswer(a *AttributeAnswer) (T, error) { return d.Decode(a.inner) }

// decode visits each attribute once, and then each field.
func (p *plan) decode(id NameID, attributes []Attribute, s *scopes, into reflect.Value) error {
	all := make([]found, len(p.fields))
	for i := range attributes {
		attr := &attributes[i]
		for _, u := range p.uses[attr.Name] {
			if p.fields[u.field].acceptsFormat(attr.NameFormat) {
				all[u.field].add(u.rank, attr)
			}
		}
	}
	r := reader{scopes: s}
	var missing *Error
	for i := range p.fields {
		f := &p.fields[i]
		to := into.FieldByIndex(f.index)
		if f.nameID && id.Value != "" {
			setNameID(to, id)
			continue
		}
		switch err := r.field(f, &all[i], to); {
		case err == nil:
		case missing == nil:
			err.Detail, err.Attributes = "field "+f.name, []AttributeName{f.title}
			if err.Reason != ReasonAttributeMissing {
				return err
			}
			missing = err
		case err.Reason == ReasonAttributeMissing:
			missing.add(f.title)
		}
	}
	if missing != nil {
		return missing
	}
	return nil
}

// add adds another missing attribute.
func (e *Error) add(missing AttributeName) {
	if !slices.Contains(e.Attributes, missing) {
		e.Attributes = append(e.Attributes, missing)
		e.Detail += "; " + missing.String() + " is missing, too"
	}
}

// found is what a field gets: the attributes of its first alternative that has values.
type found struct {
	rank       int
	attributes []*Attribute
	values     int
}

func (f *found) add(rank int, attr *Attribute) {
	n := 0
	for i := range attr.Values {
		if attr.Values[i].given() {
			n++
		}
	}
	switch {
	case n == 0 || f.values > 0 && rank > f.rank:
	case f.values > 0 && rank == f.rank:
		f.attributes, f.values = append(f.attributes, attr), f.values+n
	default:
		*f = found{rank, []*Attribute{attr}, n}
	}
}

// given reports whether there is a value. An empty one is the same as none for a program.
func (v *AttributeValue) given() bool { return v.Text != "" || len(v.Elements) > 0 }

// field reads the values of one field.
func (r *reader) field(f *field, have *found, to reflect.Value) *Error {
	if have.values == 0 {
		switch {
		case f.required:
			return &Error{Reason: ReasonAttributeMissing, Rule: "attribute " + f.attributes}
		case f.fallback != "":
			have = &found{values: 1, attributes: []*Attribute{{Values: []AttributeValue{{Text: f.fallback}}}}}
		default:
			return nil
		}
	}
	if have.values > 1 && !f.slice {
		return &Error{
			Reason: ReasonAttributeCount, Rule: "attribute " + have.attributes[0].Name,
			Want: "one value", Got: fmt.Sprint(have.values, " values"),
		}
	}
	all := to
	if f.slice {
		all = reflect.MakeSlice(to.Type(), have.values, have.values)
	}
	i := 0
	for _, attr := range have.attributes {
		for j := range attr.Values {
			if !attr.Values[j].given() {
				continue
			}
			one := all
			if f.slice {
				one = all.Index(i)
			}
			if err := r.value(f.kind, attr.Name, attr.Values[j], one); err != nil {
				return err
			}
			i++
		}
	}
	to.Set(all)
	return nil
}

// setNameID sets a field of the type NameID or string.
func setNameID(to reflect.Value, id NameID) {
	if to.Kind() == reflect.String {
		to.SetString(id.Value)
		return
	}
	to.Set(reflect.ValueOf(id))
}
