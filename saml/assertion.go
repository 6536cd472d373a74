package saml

import (
	"fmt"
	"slices"
	"time"
)

// Assertion is an assertion that was verified: every value was read from bytes that
// a signature covers, and every rule held. Only Verify makes one. It never changes,
// and its methods return copies. Printing or logging it shows nothing about the user.
type Assertion struct {
	responseID string
	acs        Endpoint
	a          *assertion
	bearer     confirmation
	window     time.Time
	skew       time.Duration
	warnings   []string
}

// NameID identifies the subject (Core 2.2.2 and 2.2.3).
type NameID struct {
	Value           string
	Format          string // a URI; empty means unspecified
	NameQualifier   string
	SPNameQualifier string
	SPProvidedID    string
}

// Attribute is Core 2.7.3.1. Values of attributes with the same Name and NameFormat
// are joined in document order.
type Attribute struct {
	Name         string
	NameFormat   string // a URI; empty means unspecified
	FriendlyName string // for display only; never decide by it
	Values       []AttributeValue
}

// AttributeValue is Core 2.7.3.1.1: text, or elements, or nothing (xsi:nil).
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

// ID returns the assertion's ID. An identity provider never uses one twice.
func (a *Assertion) ID() string { return a.a.id }

// ResponseID returns the ID of the Response. Where only the assertion is signed, an
// attacker can have written it: log it, decide nothing by it.
func (a *Assertion) ResponseID() string { return a.responseID }

// Issuer returns the identity provider's entity ID.
func (a *Assertion) Issuer() string { return a.a.issuer.value }

// IssueInstant returns when it was issued, by the identity provider's clock.
func (a *Assertion) IssueInstant() time.Time { return a.a.issueInstant }

// NameID returns the subject, the zero value for none with AllowMissingNameID.
func (a *Assertion) NameID() NameID { return a.a.nameID }

// ACS returns the endpoint that it was made for and posted to.
func (a *Assertion) ACS() Endpoint { return a.acs.clone() }

// InResponseTo returns the ID of the request that it answers, by the signed value
// in SubjectConfirmationData. Empty: it is unsolicited.
func (a *Assertion) InResponseTo() string { return a.bearer.inResponseTo.value }

// NotOnOrAfter returns the end of its validity: the earliest of
// SubjectConfirmationData's NotOnOrAfter, Conditions' NotOnOrAfter, and
// IssueInstant + Config.MaxAge. Verify accepts it until that instant plus
// Config.Skew, so a record of used assertions must be kept for longer.
func (a *Assertion) NotOnOrAfter() time.Time { return a.window }

// AuthnInstant returns when the user authenticated, by the newest AuthnStatement.
func (a *Assertion) AuthnInstant() time.Time { return a.newest().instant }

// AuthnContext returns the AuthnContextClassRef of the newest AuthnStatement.
func (a *Assertion) AuthnContext() string { return a.newest().classRef }

// SessionIndex returns the identity provider's name for the session, by the newest
// AuthnStatement, empty if it has none.
func (a *Assertion) SessionIndex() string { return a.newest().sessionIndex }

func (a *Assertion) newest() authnStatement {
	return slices.MaxFunc(a.a.authn, func(a, b authnStatement) int { return a.instant.Compare(b.instant) })
}

// SessionNotOnOrAfter returns when the identity provider wants sessions of this
// assertion to have ended (Core 2.7.2): the earliest that is given, zero for none.
func (a *Assertion) SessionNotOnOrAfter() time.Time {
	var end time.Time
	for _, s := range a.a.authn {
		if s.sessionNotOnOrAfter.given {
			end = earliest(end, s.sessionNotOnOrAfter.value)
		}
	}
	return end
}

// OneTimeUse reports the condition of that name (Core 2.5.1.5). Package acs
// uses every assertion once, with or without it.
func (a *Assertion) OneTimeUse() bool { return a.a.conditions.oneTimeUse }

// ProxyRestriction reports the condition of that name (Core 2.5.1.6). It binds a
// service that issues its own assertions on the basis of this one. count is as
// written, empty if it is absent.
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

// Values returns the text values of the attributes of that Name and any NameFormat,
// in document order. Values that hold elements are left out.
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

// Warnings lists what an operator should know but is no reason to refuse, such as a
// signing certificate that is past its dates.
func (a *Assertion) Warnings() []string { return slices.Clone(a.warnings) }

// String describes the assertion for a log: its ID, its issuer, its ACS URL and when
// it can be used. It holds nothing about the user: no NameID, attribute or session.
func (a Assertion) String() string {
	if a.a == nil {
		return "no assertion"
	}
	return fmt.Sprintf("assertion %s of %s for %s, issued %s, until %s",
		a.a.id, a.a.issuer.value, a.acs.URL, stamp(a.a.issueInstant), stamp(a.window))
}

// Format writes String for every verb: %+v and %#v would print the fields.
func (a Assertion) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) }

// MarshalText returns String, for log/slog and encoding/json. It can't be
// unmarshalled: what one program verified is only a claim to another.
func (a Assertion) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
