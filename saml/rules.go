package saml

import (
	"fmt"
	"slices"
	"strings"
)

// rule is one thing that must hold of a message whose signatures hold.
type rule struct {
	name   string // with the place where it is written
	bearer bool   // it looks at the bearer confirmation for this URL
	check  func(*verification) error
}

// rules are checked in this order; the first that doesn't hold is the verdict.
// The ones on the assertion come before the ones on the Response, because they
// are always signed.
var rules = []rule{
	{"Version (Core 2.3.3, 3.2.2)", false, (*verification).checkVersion},
	{"ID (Core 1.3.4)", false, (*verification).checkIDs},
	{"Issuer (Profiles 4.1.4.2)", false, (*verification).checkIssuers},
	{"Recipient (Profiles 4.1.4.2)", false, (*verification).checkRecipient},
	{"Destination (Core 3.2.2, Bindings 3.5.5.2)", false, (*verification).checkDestination},
	{"InResponseTo (Profiles 4.1.4.3)", true, (*verification).checkInResponseTo},
	{"SubjectConfirmationData window (Core 2.4.1.2)", true, (*verification).checkConfirmationWindow},
	{"Conditions window (Core 2.5.1.2)", false, (*verification).checkConditionsWindow},
	{"IssueInstant (Core 2.3.3, 3.2.2)", false, (*verification).checkIssueInstants},
	{"Conditions understood (Core 2.5.1)", false, (*verification).checkConditions},
	{"AudienceRestriction (Core 2.5.1.4)", false, (*verification).checkAudience},
	{"Subject (Core 2.4.1, Profiles 4.1.4.2)", false, (*verification).checkSubject},
	{"AuthnStatement (Profiles 4.1.4.2)", false, (*verification).checkAuthn},
	{"SessionNotOnOrAfter (Core 2.7.2)", false, (*verification).checkSession},
}

// runRules stops at the first rule that doesn't hold, unless there is a trace
// to fill: then it looks at all of them, and still gives the first.
func (v *verification) runRules(trace *[]Check) error {
	var first error
	for _, r := range rules {
		if r.bearer && v.bearer == nil {
			continue // checkRecipient has refused; there is nothing to look at
		}
		err := r.check(v)
		record(trace, r.name, err)
		if err == nil {
			continue
		}
		err = withRule(err, r.name)
		if trace == nil {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// proved makes the assertion. It is the only place that does.
func (v *verification) proved() *Assertion {
	v.reportCertificates()
	v.asrt.detach(v.doc)
	return &Assertion{
		responseID: strings.Clone(v.resp.id), acs: v.here, a: v.asrt, bearer: *v.bearer,
		window: v.window(), skew: v.cfg.Skew, warnings: v.warnings,
	}
}

// reportCertificates notes what the metadata interoperability profile (2.6.1)
// keeps out of the verdict.
func (v *verification) reportCertificates() {
	for _, i := range []int{v.respKey, v.asrtKey} {
		if i < 0 || v.idp.keys[i].cert == nil {
			continue
		}
		cert := v.idp.keys[i].cert
		if v.now.Before(cert.NotBefore) || v.now.After(cert.NotAfter) {
			note := fmt.Sprintf("the signing certificate's own dates are %s to %s", stamp(cert.NotBefore), stamp(cert.NotAfter))
			if !slices.Contains(v.warnings, note) {
				v.warnings = append(v.warnings, note)
			}
		}
	}
}

func (v *verification) checkVersion() error {
	for _, got := range []string{v.asrt.version, v.resp.version} {
		if got != "2.0" {
			return &Error{Reason: ReasonVersion, Want: "2.0", Got: got}
		}
	}
	return nil
}

// checkIDs wants IDs that can't be mistaken for anything else. Core makes them
// xs:ID, which can't start with a digit; one real identity provider's do.
func (v *verification) checkIDs() error {
	for _, got := range []string{v.asrt.id, v.resp.id} {
		if !goodID(got) {
			return &Error{Reason: ReasonID, Want: "1 to 256 characters of A-Z a-z 0-9 _ . : -", Got: got}
		}
	}
	if v.asrt.id == v.resp.id {
		return &Error{Reason: ReasonID, Detail: "the Response and its assertion have the same ID", Got: v.asrt.id}
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
// byte. A Response that is not signed may leave its Issuer out (Core 3.2.2).
func (v *verification) checkIssuers() error {
	check := func(what string, i issuer) error {
		if i.value != v.idp.entityID {
			return &Error{Reason: ReasonIssuer, Detail: what, Want: v.idp.entityID, Got: i.value}
		}
		if i.format != "" && i.format != formatEntity {
			return &Error{Reason: ReasonIssuer, Detail: what + "/@Format", Want: formatEntity, Got: i.format}
		}
		return nil
	}
	if err := check("Assertion/Issuer", v.asrt.issuer); err != nil {
		return err
	}
	switch {
	case v.resp.issuer.given:
		return check("Response/Issuer", v.resp.issuer)
	case v.resp.signed:
		return &Error{Reason: ReasonIssuer, Detail: "a signed Response has no Issuer", Want: v.idp.entityID}
	}
	return nil
}

// checkAudience wants every restriction to name us (they are joined by AND),
// among whatever else it names (inside one it is OR). There must be one.
func (v *verification) checkAudience() error {
	if len(v.asrt.conditions.audiences) == 0 {
		return &Error{Reason: ReasonAudience, Detail: "no AudienceRestriction", Want: v.cfg.EntityID}
	}
	for _, restriction := range v.asrt.conditions.audiences {
		if !slices.Contains(restriction, v.cfg.EntityID) {
			return &Error{Reason: ReasonAudience, Want: v.cfg.EntityID, Got: fmt.Sprint(restriction)}
		}
	}
	return nil
}

// checkConditions refuses what it doesn't understand: such a condition makes
// an assertion's validity indeterminate, and indeterminate is not valid.
func (v *verification) checkConditions() error {
	if len(v.asrt.conditions.unknown) > 0 {
		return &Error{Reason: ReasonCondition, Want: "AudienceRestriction, OneTimeUse or ProxyRestriction", Got: v.asrt.conditions.unknown[0]}
	}
	return nil
}
