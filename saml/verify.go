package saml

import (
	"errors"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
)

// VerifyOptions describes the accepted responses. Options that accept no response,
// or any, are an error with ReasonConfig.
type VerifyOptions struct {
	// ACS is the URL that the response was posted to, as it is on the list. Take it
	// from routing, never from the message. Required.
	ACS string
	// RequestIDs are the IDs of this browser's pending requests at this URL. Each
	// names the identity provider that it was made to, and with Config.IdPs only that
	// one can answer it. So they must be IDs of [AuthnRequest]. Empty but not nil:
	// none. Nil is an error unless Unsolicited is set.
	RequestIDs []string
	// Unsolicited accepts a response that answers no request. It changes nothing
	// for a response that claims to answer one.
	Unsolicited bool
}

// Verify verifies a SAMLResponse form value (HTTP-POST binding, Bindings 3.5):
// base64, not deflated. It returns the assertion if every rule holds, and otherwise
// a [*Error] for the first rule that doesn't. It keeps no state: the caller must
// accept one answer to each request, and each assertion once, as package acs does.
func (sp *ServiceProvider) Verify(raw []byte, want VerifyOptions) (*Assertion, error) {
	return sp.verifyBase64(raw, want, nil)
}

// VerifyXML is Verify for a response that is no longer in base64.
func (sp *ServiceProvider) VerifyXML(doc []byte, want VerifyOptions) (*Assertion, error) {
	return sp.verify(string(doc), nil, want, nil)
}

func (sp *ServiceProvider) verifyBase64(raw []byte, want VerifyOptions, t *trace) (*Assertion, error) {
	doc, err := sp.cfg.decodeBase64(raw)
	if err := t.step(ruleBase64, err); err != nil {
		return nil, err
	}
	return sp.verify(doc, nil, want, t)
}

// verification is the state of one verification. The time, the list of ACS URLs and
// the metadata, which can change, are read once, at the start.
type verification struct {
	cfg      *Config
	want     VerifyOptions
	artifact *ArtifactRecord // nil except for VerifyArtifactResponse
	now      time.Time
	acs      *acsList
	here     Endpoint     // where the response was posted to
	idp      *IdP         // nil until the message has named one of several
	keys     *xmlenc.Keys // created on first use
	cbc      bool         // a part was encrypted with AES-CBC
	trace    *trace       // nil except for Explain
}

// verify runs all checks in order. Each stage returns a type that only that stage
// creates:
//
//	doc       the bytes that arrived
//	*message  a Response that was read; it serves to refuse, and to find what is signed
//	proof     the elements that verified signatures cover
//	claims    the values in those elements
//
// A stage that fails ends the verification. The rules are all checked, and the
// first that doesn't hold is the error: rules on the assertion come before rules on
// the Response, because the assertion is always signed. If artifact is not nil, doc is
// the answer to that ArtifactResolve.
func (sp *ServiceProvider) verify(
	doc string, artifact *ArtifactRecord, want VerifyOptions, t *trace,
) (*Assertion, error) {
	v, err := sp.newVerification(artifact, want, t)
	if err != nil {
		return nil, err
	}
	if v.idp != nil {
		if err := v.checkInForce(); err != nil {
			return nil, err
		}
	}
	rule := "A Response, in XML within limits (Core 3.2.2)"
	if artifact != nil {
		rule = "A Response in an ArtifactResponse, in SOAP within limits (Core 3.5.2)"
	}
	m, err := v.parse(doc)
	if err := t.step(rule, err); err != nil {
		return nil, err
	}
	if err := t.step("Children of the Response (Core 3.3.3)", m.readResponse()); err != nil {
		return nil, err
	}
	if err := t.step("Status (Core 3.2.2.1)", m.response.checkStatus()); err != nil {
		return nil, err
	}
	if err := t.step("Exactly one assertion (Profiles 4.1.4.2)", m.findAssertion()); err != nil {
		return nil, err
	}
	switch {
	case v.artifact != nil:
		if err := t.step(ruleIdP, v.checkNamed(m)); err != nil {
			return nil, err
		}
	case v.idp == nil:
		if err := t.step(ruleIdP, v.selectIdP(m)); err != nil {
			return nil, err
		}
		if err := v.checkInForce(); err != nil {
			return nil, err
		}
	}
	if err := t.step(ruleShapes, v.findSignatures(m, m.root.Doc().Root())); err != nil {
		return nil, err
	}

	p, err := v.verifyAssertion(m)
	if err != nil {
		return nil, err
	}
	c, err := v.read(p)
	if err := t.step("Schema of what was signed (Core 2.3.3)", err); err != nil {
		return nil, err
	}

	var broken error // the first rule that doesn't hold
	check := func(rule string, err error) {
		if err = t.step(rule, err); broken == nil {
			broken = err
		}
	}
	if v.artifact != nil {
		check(ruleArtifactResponse, c.checkArtifactResponse())
	}
	check("Version (Core 2.3.3, 3.2.2)", c.checkVersion())
	check("ID (Core 1.3.4)", c.checkIDs())
	check("Issuer (Profiles 4.1.4.2)", c.checkIssuers())
	check("Recipient (Profiles 4.1.4.2)", c.findBearer())
	check("Destination (Core 3.2.2, Bindings 3.5.5.2)", c.checkDestination())
	if c.bearer != nil { // otherwise Recipient has failed
		check("InResponseTo (Profiles 4.1.4.3)", c.checkInResponseTo())
		check("SubjectConfirmationData window (Core 2.4.1.2)", c.checkConfirmationWindow())
	}
	check("Conditions window (Core 2.5.1.2)", c.checkConditionsWindow())
	check("IssueInstant (Core 2.3.3, 3.2.2)", c.checkIssueInstants())
	check("Conditions understood (Core 2.5.1)", c.checkConditions())
	check("AudienceRestriction (Core 2.5.1.4)", c.checkAudience())
	check("Subject (Core 2.4.1, Profiles 4.1.4.2)", c.checkSubject())
	if c.idp.scopes != nil {
		check(ruleScope, c.checkScopes())
	}
	check("AuthnStatement (Profiles 4.1.4.2)", c.checkAuthn())
	check("SessionNotOnOrAfter (Core 2.7.2)", c.checkSession())
	if broken != nil {
		return nil, c.describe(broken)
	}
	return c.accept(len(doc)), nil
}

// verifyAssertion verifies all signatures, and decrypts the assertion if it is encrypted.
func (v *verification) verifyAssertion(m *message) (proof, error) {
	switch {
	case !m.encrypted.OK():
		return v.verifySignatures(m)
	case m.responseSignature != nil, m.artifactSignature != nil:
		return v.verifyThenDecrypt(m)
	default:
		return v.decryptThenVerify(m)
	}
}

// newVerification validates the options.
func (sp *ServiceProvider) newVerification(
	artifact *ArtifactRecord, want VerifyOptions, t *trace,
) (*verification, error) {
	v := &verification{
		cfg: &sp.cfg, want: want, artifact: artifact, now: sp.cfg.Now(), acs: sp.acs.Load(), idp: sp.cfg.only(), trace: t,
	}
	if artifact != nil {
		if artifact.ID == "" {
			return nil, configError("ArtifactRecord.ID", "is required")
		}
		var err error
		if v.idp, err = sp.cfg.find(artifact.IdP); err != nil {
			return nil, err
		}
	}
	var ok bool
	if v.here, ok = v.acs.find(want.ACS); !ok {
		return nil, configError("VerifyOptions.ACS", "%s is not on the list", quote(withoutUser(want.ACS)))
	}
	if want.RequestIDs == nil && !want.Unsolicited {
		return nil, configError("VerifyOptions", "RequestIDs is nil and Unsolicited is false: no response could match")
	}
	if slices.Contains(want.RequestIDs, "") {
		return nil, configError("VerifyOptions.RequestIDs", "an empty ID would match every unsolicited response")
	}
	return v, nil
}

func (v *verification) checkInForce() error {
	return v.trace.step("IdP metadata in force (Metadata 2.3.2)", v.cfg.checkMetadataInForce(v.idp, v.now))
}

// checkMetadataInForce refuses metadata past its validUntil (Metadata 2.3.2).
func (cfg *Config) checkMetadataInForce(idp *IdP, now time.Time) error {
	if idp.validUntil.IsZero() || cfg.InsecureAllowExpiredMetadata || notOver(now, idp.validUntil, cfg.Skew) {
		return nil
	}
	return &Error{
		Reason: ReasonMetadataExpired, Rule: "validUntil (Metadata 2.3.2)",
		Want: "metadata that is in force", Got: "validUntil " + idp.validUntil.UTC().Format(time.RFC3339),
	}
}

// trace records rules for Explain. A nil trace records nothing.
type trace struct{ checks []Check }

// step records whether a rule holds, and sets the rule of an error that has none.
func (t *trace) step(rule string, err error) error {
	if err == nil && t == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) && e.Rule == "" {
		e.Rule = rule
	}
	if t != nil {
		c := Check{Rule: rule, OK: err == nil}
		if e != nil {
			c.Detail, c.Reason = e.Explain(), e.Reason
		}
		t.checks = append(t.checks, c)
	}
	return err
}
