package saml

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Scoped is a value of the form "value@scope", such as one of
// eduPersonScopedAffiliation. A [Decoder] accepts only scopes of the identity provider,
// if its metadata or its IdPPolicy has any. It reads subject-id and pairwise-id as
// [Assertion.SubjectID] does.
type Scoped struct{ Value, Scope string }

// String returns "value@scope".
func (s Scoped) String() string { return s.Value + "@" + s.Scope }

// reader reads the values of one assertion.
type reader struct {
	scopes *scopes // nil: not checked
	scoped int     // how many scopes were checked
}

// value reads one value into a variable of its kind.
func (r *reader) value(kind valueKind, name string, v AttributeValue, to reflect.Value) *Error {
	wrong := func(want string) *Error {
		got := v.Text
		if len(v.Elements) > 0 {
			got = "an element " + v.Elements[0].Name
		}
		return &Error{Reason: ReasonAttributeType, Rule: "attribute " + name, Want: want, Got: got}
	}
	switch kind {
	case kindValue:
		v.Elements = cloneElements(v.Elements)
		to.Set(reflect.ValueOf(v))
		return nil
	case kindNameID:
		id, ok := nameIDValue(v)
		if !ok {
			return wrong("a NameID element")
		}
		to.Set(reflect.ValueOf(id))
		return nil
	case kindString:
		if len(v.Elements) > 0 {
			return wrong("text")
		}
		to.SetString(v.Text)
		return nil
	case kindScoped:
		if len(v.Elements) > 0 {
			return wrong("value@scope")
		}
		s, err := r.scope(name, v.Text)
		to.Set(reflect.ValueOf(s))
		return err
	}
	if want := simpleValue(kind, v.Text, to); want != "" {
		return wrong(want)
	}
	return nil
}

// simpleValue reads a simple type of XML Schema Part 2. If the text isn't one, it returns
// what was expected.
func simpleValue(kind valueKind, text string, to reflect.Value) (want string) {
	switch kind {
	case kindBool:
		value, ok := parseBoolean(text)
		if !ok {
			return "true, false, 1 or 0"
		}
		to.SetBool(value)
	case kindInt:
		n, err := strconv.ParseInt(collapse(text), 10, to.Type().Bits())
		if err != nil {
			return fmt.Sprint("an integer of the type ", to.Type())
		}
		to.SetInt(n)
	case kindUint:
		n, err := strconv.ParseUint(strings.TrimPrefix(collapse(text), "+"), 10, to.Type().Bits())
		if err != nil {
			return fmt.Sprint("an integer of the type ", to.Type())
		}
		to.SetUint(n)
	case kindTime:
		at, err := parseDateTime(collapse(text))
		if err != nil {
			return "an xs:dateTime such as 2006-01-02T15:04:05Z"
		}
		to.Set(reflect.ValueOf(at))
	}
	return ""
}

// scope reads "value@scope" and requires a scope of the identity provider. The attributes
// of the Subject Identifier Attributes Profile have a form of their own.
func (r *reader) scope(name, text string) (Scoped, *Error) {
	if r.scoped++; r.scoped > maxScopedValues {
		want := fmt.Sprint("at most ", maxScopedValues, " values")
		return Scoped{}, &Error{Reason: ReasonLimit, Rule: ruleScope, Want: want}
	}
	var s Scoped
	var bad *Error
	if name == AttributeSubjectID || name == AttributePairwiseID {
		s, bad = subjectIdentifier(text)
	} else {
		s, bad = scopedValue(text)
	}
	if bad == nil && r.scopes != nil && !r.scopes.has(s.Scope) {
		bad = &Error{Reason: ReasonScope, Want: "a scope of the identity provider", Got: text}
	}
	if bad != nil {
		bad.Rule = "attribute " + name
		return Scoped{}, bad
	}
	return s, nil
}

// scopedValue reads "value@scope". Programs disagree about a value with several "@".
func scopedValue(text string) (Scoped, *Error) {
	value, scope, _ := strings.Cut(text, "@")
	if value == "" || scope == "" || strings.Contains(scope, "@") {
		return Scoped{}, &Error{Reason: ReasonScope, Want: "value@scope", Got: text}
	}
	return Scoped{value, scope}, nil
}

// nameIDValue reads a value that is one NameID element, as in eduPersonTargetedID.
func nameIDValue(v AttributeValue) (NameID, bool) {
	if len(v.Elements) != 1 {
		return NameID{}, false
	}
	e := v.Elements[0]
	if e.Namespace != nsAssertion || e.Name != "NameID" || len(e.Elements) > 0 || e.Text == "" {
		return NameID{}, false
	}
	id := NameID{Value: e.Text}
	for _, a := range e.Attributes {
		if a.Namespace != "" {
			continue
		}
		switch a.Name {
		case "Format":
			id.Format = a.Value
		case "NameQualifier":
			id.NameQualifier = a.Value
		case "SPNameQualifier":
			id.SPNameQualifier = a.Value
		case "SPProvidedID":
			id.SPProvidedID = a.Value
		}
	}
	return id, true
}
