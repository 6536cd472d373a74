package saml

import (
	"fmt"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// AttributeAnswer is a verified answer to an AttributeQuery: a signature covers every value, and it is about the user
// that the query named. It says nothing about who uses the browser, so it signs no user in, and it is no [Assertion].
// Only VerifyAttributeAnswer returns one. It never changes, and its methods return copies. Printing or logging it
// reveals nothing about the user.
type AttributeAnswer struct {
	inner *Assertion // never returned
}

// VerifyAttributeAnswer verifies the answer to an attribute query, a SOAP envelope (Core 3.3.2.3, Profiles 6.4.2). It
// must have exactly one assertion, which its own signature or the Response's covers, made with a key that the metadata
// has for queries: TLS alone doesn't count. The error is a [*Error]: ReasonInResponseTo if it answers another query,
// ReasonSubject if the NameID, compared whole, is not the one that the query named, ReasonAuthn if it has an
// AuthnStatement, because that is of a sign-in, and otherwise as that of [ServiceProvider.Verify]. A user without
// attributes has no assertion: ReasonAssertionCount.
//
// Where the Response is not signed and the assertion names no query, TLS alone shows which query is answered.
func (sp *ServiceProvider) VerifyAttributeAnswer(
	envelope []byte, to AttributeQueryRecord,
) (*AttributeAnswer, error) {
	if to.ID == "" || isBlank(to.NameID.Value) {
		return nil, configError("AttributeQueryRecord", "ID and NameID are required")
	}
	idp, err := sp.idpFor(to.IdP)
	if err != nil {
		return nil, err
	}
	authority, err := idp.attributeAuthority()
	if err != nil {
		return nil, err
	}
	v := &verification{cfg: &sp.cfg, now: sp.cfg.Now(), acs: sp.acs.Load(), idp: authority}
	if err := v.checkInForce(); err != nil {
		return nil, err
	}
	m, err := v.parseAttributeAnswer(string(envelope))
	if err != nil {
		return nil, err
	}
	p, err := v.verifyAssertion(m)
	if err != nil {
		return nil, err
	}
	c, err := v.read(p)
	if err != nil {
		return nil, err
	}
	c.bearer = new(confirmation) // there is none
	if err := c.checkAttributeAnswer(to); err != nil {
		return nil, c.describe(err)
	}
	return &AttributeAnswer{c.accept(len(envelope))}, nil
}

// parseAttributeAnswer parses the envelope, and finds the assertion and the signatures. Nothing is verified.
func (v *verification) parseAttributeAnswer(doc string) (*message, error) {
	tree, err := xmltree.Parse(doc, v.cfg.Limits.tree(xmltree.Name{}))
	if err != nil {
		return nil, fromTree(err)
	}
	answer, err := readEnvelope(tree.Root())
	if err != nil {
		return nil, err
	}
	if !answer.Is(xmltree.Protocol, "Response") {
		return nil, &Error{Reason: ReasonNotResponse, Want: "{" + nsProtocol + "}Response", Got: answer.Name()}
	}
	m := &message{root: answer}
	if err := m.readResponse(); err != nil {
		return nil, err
	}
	if err := m.response.checkStatus(); err != nil {
		return nil, err
	}
	if err := m.findAssertion(); err != nil {
		return nil, err
	}
	return m, v.findSignatures(m, tree.Root())
}

// checkAttributeAnswer checks every rule on a verified answer, and returns the first that doesn't hold.
func (c *claims) checkAttributeAnswer(to AttributeQueryRecord) error {
	about := &Assertion{a: c.assertion, sp: c.cfg.EntityID}
	for _, rule := range []struct {
		name  string
		check func() error
	}{
		{"Version (Core 2.3.3, 3.2.2)", c.checkVersion},
		{"ID (Core 1.3.4)", c.checkIDs},
		{"Issuer (Profiles 6.4.2)", c.checkIssuers},
		{"InResponseTo (Core 3.2.2)", func() error { return c.checkQueried(to.ID) }},
		{"Conditions window (Core 2.5.1.2)", c.checkConditionsWindow},
		{"IssueInstant (Core 2.3.3, 3.2.2)", c.checkIssueInstants},
		{"Conditions understood (Core 2.5.1)", c.checkConditions},
		{"AudienceRestriction (Core 2.5.1.4)", c.checkAudience},
		{"Subject (Core 2.4.1)", c.checkSubject},
		{"Subject (Core 3.3.4)", func() error { return about.checkSubject(to.NameID) }},
		{ruleScope, func() error {
			if c.idp.scopes == nil {
				return nil
			}
			return c.checkScopes()
		}},
		{"AuthnStatement (Core 3.3.2.3)", func() error {
			if len(c.assertion.authn) > 0 {
				return &Error{Reason: ReasonAuthn, Detail: "the answer to an attribute query has an AuthnStatement"}
			}
			return nil
		}},
	} {
		if err := c.trace.step(rule.name, rule.check()); err != nil {
			return err
		}
	}
	return nil
}

// checkQueried requires the Response to name the query. Where the assertion names one, too, it is the same.
func (c *claims) checkQueried(id string) error {
	names := []optional[string]{{value: c.response.inResponseTo.value, given: true}}
	for _, conf := range c.assertion.confirmations {
		names = append(names, conf.inResponseTo)
	}
	i := slices.IndexFunc(names, func(name optional[string]) bool { return name.given && name.value != id })
	if i < 0 {
		return nil
	}
	return &Error{Reason: ReasonInResponseTo, Detail: "the answer is for another query", Want: id, Got: names[i].value}
}

// ID returns the ID of the assertion in the answer.
func (a *AttributeAnswer) ID() string { return a.inner.ID() }

// Issuer returns the identity provider's entity ID.
func (a *AttributeAnswer) Issuer() string { return a.inner.Issuer() }

// NameID returns the user's NameID, which is the one that the query named, but for absent defaults.
func (a *AttributeAnswer) NameID() NameID { return a.inner.NameID() }

// IssueInstant returns when the answer was issued, by the identity provider's clock.
func (a *AttributeAnswer) IssueInstant() time.Time { return a.inner.IssueInstant() }

// NotOnOrAfter returns how long the attributes may be used: the earlier of Conditions' NotOnOrAfter and IssueInstant +
// Config.MaxAge.
func (a *AttributeAnswer) NotOnOrAfter() time.Time { return a.inner.NotOnOrAfter() }

// Attributes lists the attributes in document order. They can be others than those that were asked for.
func (a *AttributeAnswer) Attributes() []Attribute { return a.inner.Attributes() }

// Values returns the text values of all attributes with that Name, as [Assertion.Values] does.
func (a *AttributeAnswer) Values(name string) []string { return a.inner.Values(name) }

// Value returns the first of Values, or the empty string.
func (a *AttributeAnswer) Value(name string) string { return a.inner.Value(name) }

// Warnings lists problems that an operator should know of, as [Assertion.Warnings] does.
func (a *AttributeAnswer) Warnings() []string { return a.inner.Warnings() }

// String describes the answer for a log: its ID, its issuer, and when it can be used.
func (a AttributeAnswer) String() string {
	if a.inner == nil {
		return "no answer"
	}
	return fmt.Sprintf("attributes %s of %s, issued %s, until %s",
		a.ID(), a.Issuer(), stamp(a.IssueInstant()), stamp(a.NotOnOrAfter()))
}

// Format writes String for every verb: %+v and %#v would print the fields.
func (a AttributeAnswer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) }

// MarshalText returns String, for log/slog and encoding/json.
func (a AttributeAnswer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
