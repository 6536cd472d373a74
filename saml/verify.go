package saml

import (
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
)

// VerifyOptions says what a response must fit. Options that nothing could
// meet, or that everything would, is an error and not a verdict.
type VerifyOptions struct {
	// ACS is the URL that the response was posted to, as it stands on the
	// list. It comes from routing, never from the message. Required.
	ACS string
	// RequestIDs are the IDs of the requests that this browser has made here
	// and that were not answered yet. Empty but not nil: there are none. Nil is
	// an error without Unsolicited.
	RequestIDs []string
	// Unsolicited lets a response pass that answers no request at all. It
	// changes nothing for a response that claims to answer one.
	Unsolicited bool
}

// Verify verifies a SAMLResponse form value (HTTP-POST binding, Bindings 3.5):
// base64, not deflated. It returns the assertion if, and only if, every rule
// holds; otherwise a [*Error] that names the first rule that didn't. It keeps
// nothing: that a request is answered once and an assertion used once is for
// the caller to see to, as package acs does.
func (sp *ServiceProvider) Verify(raw []byte, want VerifyOptions) (*Assertion, error) {
	return sp.verifyBase64(raw, want, nil)
}

// VerifyXML is Verify for a response that is no longer in base64.
func (sp *ServiceProvider) VerifyXML(doc []byte, want VerifyOptions) (*Assertion, error) {
	return sp.verify(string(doc), want, nil)
}

func (sp *ServiceProvider) verifyBase64(raw []byte, want VerifyOptions, t *trace) (*Assertion, error) {
	doc, err := sp.cfg.decodeBase64(raw)
	if err := t.step(ruleBase64, err); err != nil {
		return nil, err
	}
	return sp.verify(doc, want, t)
}

// verification is what one verification goes by. Everything that could change
// meanwhile (the time, the list, the metadata) is read once, at the start.
type verification struct {
	cfg   *Config
	want  VerifyOptions
	now   time.Time
	acs   *acsList
	here  Endpoint // the one the response was posted to
	idp   *IdP
	keys  *xmlenc.Keys // made when something is to be decrypted
	trace *trace       // nil but for Explain
}

// verify is the whole order of work. What each stage returns has a type of its
// own, and only that stage makes it:
//
//	doc       the bytes that arrived
//	*message  a Response that was read; it serves to refuse, and to find what is signed
//	proof     the elements that verified signatures cover
//	claims    what those elements say
//
// Reading on after a stage failed makes no sense. The rules are all looked at,
// and the first that doesn't hold is the verdict: the ones on the assertion come
// before the ones on the Response, because the assertion is always signed.
func (sp *ServiceProvider) verify(doc string, want VerifyOptions, t *trace) (*Assertion, error) {
	v, err := sp.newVerification(want, t)
	if err != nil {
		return nil, err
	}
	if err := t.step("IdP metadata in force (Metadata 2.3.2)", v.cfg.checkMetadataInForce(v.idp, v.now)); err != nil {
		return nil, err
	}
	m, err := v.parse(doc)
	if err := t.step("A Response, in XML within limits (Core 3.2.2)", err); err != nil {
		return nil, err
	}
	if err := t.step("What the Response holds (Core 3.3.3)", m.readResponse()); err != nil {
		return nil, err
	}
	if err := t.step("Status (Core 3.2.2.1)", m.checkStatus()); err != nil {
		return nil, err
	}
	if err := t.step("Exactly one assertion (Profiles 4.1.4.2)", m.findAssertion()); err != nil {
		return nil, err
	}
	if err := t.step(ruleShapes, v.findSignatures(m)); err != nil {
		return nil, err
	}

	var p proof
	switch {
	case !m.encrypted.OK():
		p, err = v.verifySignatures(m)
	case m.responseSignature != nil:
		p, err = v.verifyThenDecrypt(m)
	default:
		p, err = v.decryptThenVerify(m)
	}
	if err != nil {
		return nil, err
	}
	c, err := v.read(p)
	if err := t.step("Schema of what was signed (Core 2.3.3)", err); err != nil {
		return nil, err
	}

	r := rules{trace: t}
	r.check("Version (Core 2.3.3, 3.2.2)", c.checkVersion())
	r.check("ID (Core 1.3.4)", c.checkIDs())
	r.check("Issuer (Profiles 4.1.4.2)", c.checkIssuers())
	r.check("Recipient (Profiles 4.1.4.2)", c.findBearer())
	r.check("Destination (Core 3.2.2, Bindings 3.5.5.2)", c.checkDestination())
	if c.bearer != nil { // else Recipient has refused, and there is nothing to look at
		r.check("InResponseTo (Profiles 4.1.4.3)", c.checkInResponseTo())
		r.check("SubjectConfirmationData window (Core 2.4.1.2)", c.checkConfirmationWindow())
	}
	r.check("Conditions window (Core 2.5.1.2)", c.checkConditionsWindow())
	r.check("IssueInstant (Core 2.3.3, 3.2.2)", c.checkIssueInstants())
	r.check("Conditions understood (Core 2.5.1)", c.checkConditions())
	r.check("AudienceRestriction (Core 2.5.1.4)", c.checkAudience())
	r.check("Subject (Core 2.4.1, Profiles 4.1.4.2)", c.checkSubject())
	r.check("AuthnStatement (Profiles 4.1.4.2)", c.checkAuthn())
	r.check("SessionNotOnOrAfter (Core 2.7.2)", c.checkSession())
	if r.err != nil {
		return nil, c.refuse(r.err)
	}
	return c.accept(len(doc)), nil
}

// rules collects what the rules say.
type rules struct {
	trace *trace
	err   error // of the first that doesn't hold
}

func (r *rules) check(rule string, err error) {
	if err = r.trace.step(rule, err); r.err == nil {
		r.err = err
	}
}

// newVerification makes sure that the caller asked something.
func (sp *ServiceProvider) newVerification(want VerifyOptions, t *trace) (*verification, error) {
	v := &verification{cfg: &sp.cfg, want: want, now: sp.cfg.Now(), acs: sp.acs.Load(), idp: sp.cfg.IdP.IdP(), trace: t}
	var ok bool
	if v.here, ok = v.acs.find(want.ACS); !ok {
		return nil, configError("VerifyOptions.ACS", quote(withoutUser(want.ACS))+" is not on the list", nil)
	}
	if want.RequestIDs == nil && !want.Unsolicited {
		return nil, configError("VerifyOptions", "RequestIDs is nil and Unsolicited is false: nothing could be accepted", nil)
	}
	for _, id := range want.RequestIDs {
		if id == "" {
			return nil, configError("VerifyOptions.RequestIDs", "an empty ID would stand for every unsolicited response", nil)
		}
	}
	return v, nil
}

// checkMetadataInForce refuses to use metadata past its end (Metadata 2.3.2).
func (cfg *Config) checkMetadataInForce(idp *IdP, now time.Time) error {
	if idp.validUntil.IsZero() || cfg.InsecureAllowExpiredMetadata || notOver(now, idp.validUntil, cfg.Skew) {
		return nil
	}
	return &Error{Reason: ReasonMetadata, Rule: "validUntil (Metadata 2.3.2)", Want: "metadata that is in force", Got: "validUntil " + idp.validUntil.UTC().Format(time.RFC3339)}
}
