package saml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// claims are the values of a message whose signatures were verified. Only
// verification.read returns them. The rules are their methods.
type claims struct {
	*verification
	proof
	assertion *assertion
	bearer    *confirmation
}

// read reads the values from the nodes whose canonical form was hashed.
func (v *verification) read(p proof) (claims, error) {
	a, err := v.decodeAssertion(p.signed)
	return claims{verification: v, proof: p, assertion: a}, err
}

// accept returns the assertion. Only accept creates one.
func (c *claims) accept(size int) *Assertion {
	c.assertion.detach(size)
	return &Assertion{
		responseID: strings.Clone(c.response.id), acs: c.here, sp: c.cfg.EntityID, a: c.assertion, bearer: *c.bearer,
		window: c.window(), skew: c.skew(), warnings: c.warnings(), scopes: c.idp.scopes,
	}
}

// describe adds the refused assertion's IDs and instant to an error. It copies the
// values, so that a kept error doesn't keep the document.
func (c *claims) describe(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Issued, e.IdP = c.assertion.issueInstant, c.idp.entityID
		e.AssertionID, e.NameID = strings.Clone(c.assertion.id), strings.Clone(c.assertion.nameID.Value)
	}
	return err
}

// warnings reports the use of AES-CBC (IIP-ALG05), and signing certificates outside
// their dates, which the metadata interoperability profile (2.6.1) doesn't enforce.
func (c *claims) warnings() []string {
	var all []string
	if c.cbc {
		all = append(all, "encrypted with AES-CBC, which is broken without a signature around it: use AES-GCM")
	}
	for _, i := range c.signedBy {
		if i < 0 {
			continue
		}
		cert := c.idp.keys[i].cert
		if cert == nil || !c.now.Before(cert.NotBefore) && !c.now.After(cert.NotAfter) {
			continue
		}
		from, to := stamp(cert.NotBefore), stamp(cert.NotAfter)
		warning := fmt.Sprintf("the signing certificate's own dates are %s to %s", from, to)
		if !slices.Contains(all, warning) {
			all = append(all, warning)
		}
	}
	return all
}

func (c *claims) checkVersion() error {
	for _, got := range []string{c.assertion.version, c.response.version} {
		if got != "2.0" {
			return &Error{Reason: ReasonVersion, Want: "2.0", Got: got}
		}
	}
	return nil
}

// checkIDs accepts IDs whose characters all programs read alike. An xs:ID can't
// start with a digit (Core 1.3.4), but the IDs of one identity provider do, so that
// is accepted.
func (c *claims) checkIDs() error {
	for _, got := range []string{c.assertion.id, c.response.id} {
		if !goodID(got) {
			return &Error{Reason: ReasonID, Want: idForm, Got: got}
		}
	}
	if c.assertion.id == c.response.id {
		return &Error{Reason: ReasonID, Detail: "the Response and its assertion have the same ID", Got: c.assertion.id}
	}
	return nil
}

const (
	maxID   = 256
	idForm  = "1 to 256 characters of A-Z a-z 0-9 _ . : -"
	idChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-"
)

func goodID(id string) bool { return id != "" && len(id) <= maxID && strings.Trim(id, idChars) == "" }

// checkIssuers requires both Issuers to be the configured identity provider's entity
// ID, byte for byte. An unsigned Response may have none (Core 3.2.2). A Format other
// than entity is refused (Profiles 4.1.4.2, MUST): such a value is not an entity ID,
// even if its text is the same.
func (c *claims) checkIssuers() error {
	if err := c.checkIssuer("Assertion/Issuer", c.assertion.issuer); err != nil {
		return err
	}
	switch {
	case c.response.issuer.given:
		return c.checkIssuer("Response/Issuer", c.response.issuer)
	case c.responseSigned:
		return &Error{Reason: ReasonIssuer, Detail: "a signed Response has no Issuer", Want: c.idp.entityID}
	}
	return nil
}

func (c *claims) checkIssuer(what string, i issuer) error {
	switch {
	case i.value != c.idp.entityID:
		return &Error{Reason: ReasonIssuer, Detail: what, Want: c.idp.entityID, Got: i.value}
	case i.format != "" && i.format != formatEntity:
		return &Error{Reason: ReasonIssuer, Detail: what + "/@Format", Want: formatEntity, Got: i.format}
	}
	return nil
}

// checkAudience requires at least one AudienceRestriction, and that each has our
// entity ID. Several restrictions are joined by AND, the audiences of one by OR.
func (c *claims) checkAudience() error {
	if len(c.assertion.conditions.audiences) == 0 {
		return &Error{Reason: ReasonAudience, Detail: "no AudienceRestriction", Want: c.cfg.EntityID}
	}
	for _, restriction := range c.assertion.conditions.audiences {
		if !slices.Contains(restriction, c.cfg.EntityID) {
			return &Error{Reason: ReasonAudience, Want: c.cfg.EntityID, Got: fmt.Sprint(restriction)}
		}
	}
	return nil
}

// checkConditions refuses unknown conditions: they make an assertion's validity
// indeterminate (Core 2.5.1), which is not valid.
func (c *claims) checkConditions() error {
	if len(c.assertion.conditions.unknown) > 0 {
		const known = "AudienceRestriction, OneTimeUse or ProxyRestriction"
		return &Error{Reason: ReasonCondition, Want: known, Got: c.assertion.conditions.unknown[0]}
	}
	return nil
}
