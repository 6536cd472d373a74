package saml

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// claims are what a message says whose signatures hold. Only
// verification.read makes them; the rules are its methods.
type claims struct {
	*verification
	assertion      *assertion
	response       *response // the Response around it,
	responseSigned bool      // which need not be signed
	keys           [2]int    // positions of the identity provider's keys; none is below 0
	bearer         *confirmation
}

// read reads the values, from the nodes whose canonical bytes were hashed.
func (v *verification) read(p proof) (claims, error) {
	a, err := v.decodeAssertion(p.assertion)
	if err != nil {
		return claims{}, err
	}
	return claims{verification: v, assertion: a, response: p.response, responseSigned: p.responseSigned, keys: p.keys}, nil
}

// accept makes the assertion. It is the only function that does.
func (c *claims) accept(size int) *Assertion {
	c.assertion.detach(size)
	return &Assertion{
		responseID: strings.Clone(c.response.id), acs: c.here, a: c.assertion, bearer: *c.bearer,
		window: c.window(), skew: c.cfg.Skew, warnings: c.warnings(),
	}
}

// refuse notes in an error which assertion it refuses. The notes are copies: the
// document is not kept for as long as a log keeps the error.
func (c *claims) refuse(err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Issued, e.AssertionID, e.NameID = c.assertion.issueInstant, strings.Clone(c.assertion.id), strings.Clone(c.assertion.nameID.Value)
	}
	return err
}

// warnings notes what the metadata interoperability profile (2.6.1) keeps out of
// the verdict.
func (c *claims) warnings() []string {
	var all []string
	for _, i := range c.keys {
		if i < 0 {
			continue
		}
		cert := c.idp.keys[i].cert
		if cert == nil || !c.now.Before(cert.NotBefore) && !c.now.After(cert.NotAfter) {
			continue
		}
		note := fmt.Sprintf("the signing certificate's own dates are %s to %s", stamp(cert.NotBefore), stamp(cert.NotAfter))
		if !slices.Contains(all, note) {
			all = append(all, note)
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

// checkIDs wants IDs that can't be mistaken for anything else. Core makes them
// xs:ID, which can't start with a digit; one real identity provider's do.
func (c *claims) checkIDs() error {
	for _, got := range []string{c.assertion.id, c.response.id} {
		if !goodID(got) {
			return &Error{Reason: ReasonID, Want: "1 to 256 characters of A-Z a-z 0-9 _ . : -", Got: got}
		}
	}
	if c.assertion.id == c.response.id {
		return &Error{Reason: ReasonID, Detail: "the Response and its assertion have the same ID", Got: c.assertion.id}
	}
	return nil
}

const maxID = 256

func goodID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '_' || c == '.' || c == ':' || c == '-'
		if !ok {
			return false
		}
	}
	return true
}

// checkIssuers wants both to be the identity provider that we know, byte for
// byte. A Response that is not signed may leave its Issuer out (Core 3.2.2). A
// Format other than entity is refused (Profiles 4.1.4.2, MUST): it says that the
// value is a name of another kind, which may by chance be spelled like the
// entity ID.
func (c *claims) checkIssuers() error {
	check := func(what string, i issuer) error {
		if i.value != c.idp.entityID {
			return &Error{Reason: ReasonIssuer, Detail: what, Want: c.idp.entityID, Got: i.value}
		}
		if i.format != "" && i.format != formatEntity {
			return &Error{Reason: ReasonIssuer, Detail: what + "/@Format", Want: formatEntity, Got: i.format}
		}
		return nil
	}
	if err := check("Assertion/Issuer", c.assertion.issuer); err != nil {
		return err
	}
	switch {
	case c.response.issuer.given:
		return check("Response/Issuer", c.response.issuer)
	case c.responseSigned:
		return &Error{Reason: ReasonIssuer, Detail: "a signed Response has no Issuer", Want: c.idp.entityID}
	}
	return nil
}

// checkAudience wants every restriction to name us (they are joined by AND),
// among whatever else it names (inside one it is OR). There must be one.
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

// checkConditions refuses what it doesn't understand: such a condition makes
// an assertion's validity indeterminate, and indeterminate is not valid.
func (c *claims) checkConditions() error {
	if len(c.assertion.conditions.unknown) > 0 {
		return &Error{Reason: ReasonCondition, Want: "AudienceRestriction, OneTimeUse or ProxyRestriction", Got: c.assertion.conditions.unknown[0]}
	}
	return nil
}
