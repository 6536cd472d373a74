package saml

import (
	"errors"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Expect says what a response must fit. An expectation that nothing could
// meet, or that everything would, is an error and not a verdict.
type Expect struct {
	// ACS is the URL that the response was posted to, as it stands on the
	// list. It comes from routing, never from the message. Required.
	ACS string
	// RequestIDs are the IDs of the requests that this browser has made here
	// and that were not answered yet.
	RequestIDs []string
	// Unsolicited lets a response pass that answers no request at all. It
	// changes nothing for a response that claims to answer one.
	Unsolicited bool
}

// Verify judges a SAMLResponse form value (HTTP-POST binding, Bindings 3.5):
// base64, not deflated. It gives the assertion if, and only if, every rule
// holds; otherwise a [*Error] that names the first rule that didn't. It keeps
// nothing: that a request is answered once and an assertion used once is for
// the caller to see to, as package acs does.
func (sp *ServiceProvider) Verify(raw []byte, want Expect) (*Assertion, error) {
	return sp.judge(raw, want, nil)
}

// VerifyXML is Verify for a response that is no longer in base64.
func (sp *ServiceProvider) VerifyXML(doc []byte, want Expect) (*Assertion, error) {
	return sp.judgeXML(doc, want, nil)
}

// Check is one rule and whether it held.
type Check struct {
	Rule   string // for example "Recipient (Profiles 4.1.4.2)"
	OK     bool
	Detail string // why not
	Reason Reason // of a rule that did not hold
}

// Report is what [ServiceProvider.Explain] found: the verdict that Verify
// gives, and every rule that was reached. Once the signatures hold, all other
// rules are looked at, so that one run names everything that is wrong.
type Report struct {
	Assertion *Assertion // nil if refused
	Err       error      // the first rule that didn't hold
	Checks    []Check
}

// Explain judges like [ServiceProvider.Verify], and tells rule by rule. It is
// for people who look into a sign-in that went wrong, not for sign-in.
func (sp *ServiceProvider) Explain(raw []byte, want Expect) Report {
	var r Report
	r.Assertion, r.Err = sp.judge(raw, want, &r.Checks)
	return r
}

// ExplainXML is Explain for a response that is no longer in base64.
func (sp *ServiceProvider) ExplainXML(doc []byte, want Expect) Report {
	var r Report
	r.Assertion, r.Err = sp.judgeXML(doc, want, &r.Checks)
	return r
}

func (sp *ServiceProvider) judge(raw []byte, want Expect, trace *[]Check) (*Assertion, error) {
	doc, err := sp.decodeBase64(raw)
	record(trace, "Base64 (Bindings 3.5.4)", err)
	if err != nil {
		return nil, err
	}
	return sp.judgeXML(doc, want, trace)
}

// verification is one judgement in progress. Everything that could change
// meanwhile (the time, the list, the metadata) is read once, at the start.
type verification struct {
	cfg      *Config
	want     Expect
	now      time.Time
	acs      *acsList
	here     Endpoint // the one the response was posted to
	idp      *IdP
	root     *message  // the document, not yet believed
	resp     *response // believed where respSigned, else only ever used to refuse
	asrt     *assertion
	bearer   *confirmation // the one that is for this URL
	respKey  int           // position of the key that signed the Response; -1 if unsigned
	asrtKey  int
	warnings []string
}

// judgeXML is the whole order of work. Each step only looks at what the steps
// before it made safe to look at.
func (sp *ServiceProvider) judgeXML(doc []byte, want Expect, trace *[]Check) (*Assertion, error) {
	v := &verification{cfg: &sp.cfg, want: want, now: sp.cfg.Now(), acs: sp.acs.Load(), idp: sp.cfg.IdP.IdP(), respKey: -1, asrtKey: -1}
	if err := v.checkExpectation(); err != nil {
		return nil, err
	}
	steps := []struct {
		rule string
		run  func() error
	}{
		{"IdP metadata in force (Metadata 2.3.2)", func() error { return sp.checkMetadataInForce(v.idp, v.now) }},
		{"XML and its limits", func() error { return v.parse(doc) }},
		{"Response (Core 3.3.3)", v.findResponse},
		{"Status (Core 3.2.2.1)", v.checkStatus},
		{"Exactly one assertion (Profiles 4.1.4.2)", v.findAssertion},
		{"Shape of signatures (Core 5.4)", v.checkSignatureShapes},
		{"Signatures (Profiles 4.1.4.5)", v.checkSignatures},
		{"Schema of what was signed (Core 2.3.3)", v.decodeSigned},
	}
	for _, step := range steps {
		err := step.run()
		record(trace, step.rule, err)
		if err != nil {
			return nil, withRule(err, step.rule)
		}
	}
	if err := v.runRules(trace); err != nil {
		return nil, err
	}
	return v.proved(), nil
}

func record(trace *[]Check, rule string, err error) {
	if trace == nil {
		return
	}
	c := Check{Rule: rule, OK: err == nil}
	var e *Error
	if errors.As(err, &e) {
		c.Detail, c.Reason = e.Explain(), e.Reason
	}
	*trace = append(*trace, c)
}

// withRule names the rule in an error that doesn't name one already.
func withRule(err error, rule string) error {
	var e *Error
	if errors.As(err, &e) && e.Rule == "" {
		e.Rule = rule
	}
	return err
}

// checkExpectation makes sure that the caller asked something.
func (v *verification) checkExpectation() error {
	var ok bool
	if v.here, ok = v.acs.find(v.want.ACS); !ok {
		return configError("Expect.ACS", quote(v.want.ACS)+" is not on the list", nil)
	}
	if len(v.want.RequestIDs) == 0 && !v.want.Unsolicited {
		return configError("Expect", "RequestIDs is empty and Unsolicited is false: nothing could be accepted", nil)
	}
	for _, id := range v.want.RequestIDs {
		if id == "" {
			return configError("Expect.RequestIDs", "an empty ID would stand for every unsolicited response", nil)
		}
	}
	return nil
}

// checkMetadataInForce refuses to use metadata past its end (Metadata 2.3.2).
func (sp *ServiceProvider) checkMetadataInForce(idp *IdP, now time.Time) error {
	if idp.validUntil.IsZero() || sp.cfg.InsecureAllowExpiredMetadata || notOver(now, idp.validUntil, sp.cfg.Skew) {
		return nil
	}
	return &Error{Reason: ReasonMetadata, Rule: "validUntil (Metadata 2.3.2)", Want: "metadata that is in force", Got: "validUntil " + idp.validUntil.UTC().Format(time.RFC3339)}
}

func (v *verification) parse(doc []byte) error {
	root, err := xmltree.Parse(doc, v.cfg.Limits.tree())
	if err != nil {
		return fromTree(err)
	}
	node, err := xmltree.FromElement(root)
	if err != nil {
		return fromTree(err)
	}
	v.root = &message{el: root, node: node}
	return nil
}

// fromTree gives the reader's errors their Reason.
func fromTree(err error) error {
	reason := ReasonXML
	var e *xmltree.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case xmltree.Limit:
			reason = ReasonLimit
		case xmltree.Text:
			reason = ReasonText
		case xmltree.Duplicate:
			reason = ReasonID
		}
	}
	return &Error{Reason: reason, Err: err}
}

// fromSignature gives the verifier's errors their Reason.
func fromSignature(what string, err error) error {
	var e *dsig.Error
	if !errors.As(err, &e) {
		return fromTree(err)
	}
	reason := map[dsig.Kind]Reason{
		dsig.Shape: ReasonSignatureShape, dsig.Algorithm: ReasonAlgorithm, dsig.WeakKey: ReasonKey,
		dsig.Limit: ReasonLimit, dsig.Invalid: ReasonSignature,
	}[e.Kind]
	return &Error{Reason: reason, Detail: what + ": " + e.Detail, Want: e.Want, Got: e.Got, Err: e.Err}
}
