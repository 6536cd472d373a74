package saml

import (
	"fmt"
	"slices"
	"time"
)

// Assertion is a verified assertion: a signature covers every value, and every rule
// holds. Only Verify returns one. It never changes, and its methods return copies.
// Printing or logging it reveals nothing about the user.
type Assertion struct {
	responseID string
	acs        Endpoint
	sp         string // our entity ID
	a          *assertion
	bearer     confirmation
	window     time.Time
	skew       time.Duration
	warnings   []string
	scopes     *scopes // those of the identity provider; nil: they are not checked
}

// NameID identifies the subject (Core 2.2.2 and 2.2.3).
type NameID struct {
	Value           string
	Format          string // a URI; empty means unspecified
	NameQualifier   string
	SPNameQualifier string
	SPProvidedID    string
}

// Attribute is one attribute of the user (Core 2.7.3.1). Values of attributes with
// the same Name and NameFormat are joined in document order.
type Attribute struct {
	Name         string
	NameFormat   string // a URI; empty means unspecified
	FriendlyName string // for display only, not for decisions
	Values       []AttributeValue
}

// AttributeValue is one value of an [Attribute] (Core 2.7.3.1.1): text, elements, or
// nothing (xsi:nil).
type AttributeValue struct {
	Text     string
	Elements []Element // if not empty, Text is empty, and the value is not a string
	Nil      bool
}

// Element is XML inside an attribute value, such as the NameID in an
// eduPersonTargetedID.
type Element struct {
	Namespace, Name string
	Attributes      []ElementAttribute
	Elements        []Element
	Text            string
}

// ElementAttribute is an attribute of an [Element].
type ElementAttribute struct{ Namespace, Name, Value string }

// ID returns the assertion's ID. An identity provider never reuses one.
func (a *Assertion) ID() string { return a.a.id }

// ResponseID returns the ID of the Response. If only the assertion is signed, an
// attacker may have chosen it. Log it, but base no decision on it.
func (a *Assertion) ResponseID() string { return a.responseID }

// Issuer returns the identity provider's entity ID.
func (a *Assertion) Issuer() string { return a.a.issuer.value }

// IssueInstant returns when the assertion was issued, by the identity provider's
// clock.
func (a *Assertion) IssueInstant() time.Time { return a.a.issueInstant }

// NameID returns the subject's NameID. It is the zero value if there is none, which
// Config.AllowMissingNameID permits.
func (a *Assertion) NameID() NameID { return a.a.nameID }

// ACS returns the endpoint that is the assertion's Recipient, and that it was posted
// to.
func (a *Assertion) ACS() Endpoint { return a.acs.clone() }

// InResponseTo returns the ID of the answered request, from the signed
// SubjectConfirmationData. It is empty if the assertion is unsolicited.
func (a *Assertion) InResponseTo() string { return a.bearer.inResponseTo.value }

// NotOnOrAfter returns the end of the assertion's validity: the earliest of
// SubjectConfirmationData's NotOnOrAfter, Conditions' NotOnOrAfter, and IssueInstant
// + Config.MaxAge. Verify accepts it until that instant plus Config.Skew. Keep the
// records of used assertions longer than that.
func (a *Assertion) NotOnOrAfter() time.Time { return a.window }

// AuthnInstant returns when the user authenticated, according to the newest
// AuthnStatement.
func (a *Assertion) AuthnInstant() time.Time { return a.newest().instant }

// AuthnContext returns the AuthnContextClassRef of the newest AuthnStatement.
func (a *Assertion) AuthnContext() string { return a.newest().classRef }

// SessionIndex returns the identity provider's name for the session, from the newest
// AuthnStatement. It is empty if that has none.
func (a *Assertion) SessionIndex() string { return a.newest().sessionIndex }

// SessionIndexes returns the identity provider's names for the session from all
// AuthnStatements, each once, in document order. A LogoutRequest may name any of them
// (Core 3.7.1). Empty: there is none.
func (a *Assertion) SessionIndexes() (all []string) {
	for _, s := range a.a.authn {
		if s.sessionIndex != "" && !slices.Contains(all, s.sessionIndex) {
			all = append(all, s.sessionIndex)
		}
	}
	return all
}

func (a *Assertion) newest() authnStatement {
	return slices.MaxFunc(a.a.authn, func(a, b authnStatement) int { return a.instant.Compare(b.instant) })
}

// SessionNotOnOrAfter returns when sessions based on this assertion must have ended
// (Core 2.7.2): the earliest value of its AuthnStatements, or zero if there is none.
func (a *Assertion) SessionNotOnOrAfter() time.Time {
	var end time.Time
	for _, s := range a.a.authn {
		if s.sessionNotOnOrAfter.given {
			end = earliest(end, s.sessionNotOnOrAfter.value)
		}
	}
	return end
}

// OneTimeUse reports whether the assertion has the condition OneTimeUse (Core
// 2.5.1.5). Package acs accepts every assertion once, with or without it.
func (a *Assertion) OneTimeUse() bool { return a.a.conditions.oneTimeUse }

// ProxyRestriction reports whether the assertion has the condition ProxyRestriction
// (Core 2.5.1.6). It binds a service that issues its own assertions on the basis of
// this one. count is the attribute Count as written, or empty if it is absent.
func (a *Assertion) ProxyRestriction() (count string, present bool) {
	return a.a.conditions.proxyCount, a.a.conditions.proxy
}

// Attributes lists the attributes in document order.
func (a *Assertion) Attributes() []Attribute {
	out := slices.Clone(a.a.attributes)
	for i := range out {
		values := slices.Clone(out[i].Values)
		for j := range values {
			values[j].Elements = cloneElements(values[j].Elements)
		}
		out[i].Values = values
	}
	return out
}

func cloneElements(in []Element) []Element {
	out := slices.Clone(in)
	for i := range out {
		out[i].Attributes = slices.Clone(out[i].Attributes)
		out[i].Elements = cloneElements(out[i].Elements)
	}
	return out
}

// Values returns the text values of all attributes with that Name, whatever their
// NameFormat, in document order. Values that contain elements are left out.
func (a *Assertion) Values(name string) []string {
	var out []string
	for _, attr := range a.a.attributes {
		if attr.Name != name {
			continue
		}
		for _, v := range attr.Values {
			if len(v.Elements) == 0 && !v.Nil {
				out = append(out, v.Text)
			}
		}
	}
	return out
}

// Value returns the first of Values, or the empty string.
func (a *Assertion) Value(name string) string {
	if all := a.Values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Warnings lists problems that an operator should know of and that are no reason to
// refuse: an expired signing certificate, and encryption with AES-CBC.
func (a *Assertion) Warnings() []string { return slices.Clone(a.warnings) }

// String describes the assertion for a log: its ID, its issuer, its ACS URL and when
// it can be used. It reveals nothing about the user: no NameID, attribute or
// session.
func (a Assertion) String() string {
	if a.a == nil {
		return "no assertion"
	}
	return fmt.Sprintf("assertion %s of %s for %s, issued %s, until %s",
		a.a.id, a.a.issuer.value, a.acs.URL, stamp(a.a.issueInstant), stamp(a.window))
}

// Format writes String for every verb: %+v and %#v would print the fields.
func (a Assertion) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) }

// MarshalText returns String, for log/slog and encoding/json. There is no
// UnmarshalText: each program must verify an assertion itself.
func (a Assertion) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
