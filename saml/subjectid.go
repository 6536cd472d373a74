package saml

import (
	"fmt"
	"strings"
)

// The attributes of the SAML V2.0 Subject Identifier Attributes Profile 1.0, by which
// services know a user again.
const (
	// AttributeSubjectID is the Name of subject-id (3.3): the same value for every
	// service.
	AttributeSubjectID = "urn:oasis:names:tc:SAML:attribute:subject-id"
	// AttributePairwiseID is the Name of pairwise-id (3.4): another value for each
	// service.
	AttributePairwiseID = "urn:oasis:names:tc:SAML:attribute:pairwise-id"
)

// SubjectID returns the user's subject-id in lower case: values that differ only in case
// are the same (Subject Identifier Attributes Profile 3.3.1), so compare and store the
// result. It has a scope of the identity provider if its metadata or its IdPPolicy has any.
// Otherwise another identity provider can send the same value: store Issuer with it.
//
// The error is a [*Error]: ReasonAttributeMissing, ReasonAttributeCount if there is not
// exactly one value, ReasonAttributeType if it doesn't have the profile's form, or
// ReasonScope.
func (a *Assertion) SubjectID() (Scoped, error) { return a.identifier(AttributeSubjectID) }

// PairwiseID returns the user's pairwise-id, as SubjectID does the subject-id.
func (a *Assertion) PairwiseID() (Scoped, error) { return a.identifier(AttributePairwiseID) }

func (a *Assertion) identifier(name string) (Scoped, error) {
	s, err := a.oneIdentifier(name)
	if err != nil {
		short := name[strings.LastIndexByte(name, ':')+1:]
		err.Attributes = []AttributeName{{name, short}}
		return Scoped{}, err
	}
	return s, nil
}

func (a *Assertion) oneIdentifier(name string) (Scoped, *Error) {
	rule := "attribute " + name
	var value AttributeValue
	n := 0
	for _, attr := range a.a.attributes {
		if attr.Name == name {
			for _, v := range attr.Values {
				value, n = v, n+1
			}
		}
	}
	switch {
	case n == 0:
		return Scoped{}, &Error{Reason: ReasonAttributeMissing, Rule: rule}
	case n > 1:
		return Scoped{}, &Error{
			Reason: ReasonAttributeCount, Rule: rule, Want: "one value", Got: fmt.Sprint(n, " values"),
		}
	case len(value.Elements) > 0:
		return Scoped{}, &Error{Reason: ReasonAttributeType, Rule: rule, Detail: "the value has elements"}
	}
	r := reader{scopes: a.scopes}
	return r.scope(name, value.Text)
}

// subjectIdentifier reads the form that both attributes have (3.3.1 and 3.4.1), and
// changes it to lower case.
func subjectIdentifier(text string) (Scoped, *Error) {
	id, scope, _ := strings.Cut(text, "@")
	if !isIdentifierPart(id, "=-") || !isIdentifierPart(scope, "-.") {
		const want = "uniqueID@scope, each of at most 127 letters, digits and certain marks"
		return Scoped{}, &Error{Reason: ReasonAttributeType, Want: want, Got: text}
	}
	return Scoped{lower(id), lower(scope)}, nil
}

// isIdentifierPart reports whether s has 1 to 127 ASCII letters, digits and marks, and
// doesn't begin with a mark.
func isIdentifierPart(s, marks string) bool {
	if s == "" || len(s) > 127 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alphanumeric && (i == 0 || strings.IndexByte(marks, c) < 0) {
			return false
		}
	}
	return true
}
