package saml

import (
	"errors"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
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
	return sp.judgeXML(string(doc), want, nil)
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
// rules are looked at, so that one run names everything that is wrong. Where an
// assertion was decrypted that others can have changed, Checks tells more than
// Err does: don't show them to whoever sent the message.
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
	r.Assertion, r.Err = sp.judgeXML(string(doc), want, &r.Checks)
	return r
}

func (sp *ServiceProvider) judge(raw []byte, want Expect, trace *[]Check) (*Assertion, error) {
	doc, err := sp.cfg.decodeBase64(raw)
	record(trace, ruleBase64, err)
	if err != nil {
		return nil, err
	}
	return sp.judgeXML(doc, want, trace)
}

// verification is one judgement in progress. Everything that could change
// meanwhile (the time, the list, the metadata) is read once, at the start.
type verification struct {
	cfg      *Config
	doc      string
	want     Expect
	now      time.Time
	acs      *acsList
	here     Endpoint // the one the response was posted to
	idp      *IdP
	in       message   // the document, not yet believed
	resp     *response // believed where it is signed, else only ever used to refuse
	asrt     *assertion
	bearer   *confirmation // the one that is for this URL
	keys     *xmlenc.Keys  // made when something is to be decrypted
	respKey  int           // position of the key that signed the Response; -1 if unsigned
	asrtKey  int
	warnings []string

	signedResponse, signedAssertion xmltree.Node // what the signatures cover; none where there is none
}

// step is a part of the judgement that the later ones need.
type step struct {
	rule string
	run  func(*verification) error
}

// steps are taken in this order. Each only looks at what the ones before it
// made safe to look at.
var steps = []step{
	{"IdP metadata in force (Metadata 2.3.2)", (*verification).checkMetadata},
	{"A Response, in XML within limits (Core 3.2.2)", (*verification).parse},
	{"What the Response holds (Core 3.3.3)", (*verification).findResponse},
	{"Status (Core 3.2.2.1)", (*verification).checkStatus},
	{"Exactly one assertion (Profiles 4.1.4.2)", (*verification).findAssertion},
	checkShapes,
}

// What is left then is done in the order that the message asks for; the three
// orders that there are stand in encrypted.go.
var (
	checkShapes = step{"Shape of signatures (Core 5.4)", (*verification).checkSignatureShapes}
	checkSigned = step{"Signatures (Profiles 4.1.4.5)", (*verification).checkSignatures}
	decryption  = step{decryptionRule, (*verification).decrypt}
	schema      = step{"Schema of what was signed (Core 2.3.3)", (*verification).decodeSigned}
)

// judgeXML is the whole order of work: the steps, then the rules.
func (sp *ServiceProvider) judgeXML(doc string, want Expect, trace *[]Check) (*Assertion, error) {
	v := &verification{cfg: &sp.cfg, doc: doc, want: want, now: sp.cfg.Now(), acs: sp.acs.Load(), idp: sp.cfg.IdP.IdP(), respKey: -1, asrtKey: -1}
	if err := v.checkExpectation(); err != nil {
		return nil, err
	}
	if err := v.runSteps(steps, trace); err != nil {
		return nil, err
	}
	if err := v.runSteps(v.order(), trace); err != nil {
		return nil, err
	}
	if err := v.runRules(trace); err != nil {
		return nil, err
	}
	return v.proved(), nil
}

// runSteps stops at the first that doesn't succeed. A trace is for somebody
// who has the message and the keys anyway, so it tells what the verdict hushes.
func (v *verification) runSteps(steps []step, trace *[]Check) error {
	for _, step := range steps {
		err := step.run(v)
		record(trace, step.rule, err)
		if err != nil {
			return withRule(v.hush(err), step.rule)
		}
	}
	return nil
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
		return configError("Expect.ACS", quote(withoutUser(v.want.ACS))+" is not on the list", nil)
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
func (cfg *Config) checkMetadataInForce(idp *IdP, now time.Time) error {
	if idp.validUntil.IsZero() || cfg.InsecureAllowExpiredMetadata || notOver(now, idp.validUntil, cfg.Skew) {
		return nil
	}
	return &Error{Reason: ReasonMetadata, Rule: "validUntil (Metadata 2.3.2)", Want: "metadata that is in force", Got: "validUntil " + idp.validUntil.UTC().Format(time.RFC3339)}
}

func (v *verification) checkMetadata() error { return v.cfg.checkMetadataInForce(v.idp, v.now) }

// fromTree gives the reader's errors their Reason.
func fromTree(err error) error {
	var e *xmltree.Error
	if !errors.As(err, &e) {
		return &Error{Reason: ReasonXML, Err: err}
	}
	reason := ReasonXML
	switch e.Kind {
	case xmltree.Root:
		return &Error{Reason: ReasonNotResponse, Want: "{" + nsProtocol + "}Response", Got: e.Name}
	case xmltree.Limit:
		reason = ReasonLimit
	case xmltree.Text:
		reason = ReasonText
	case xmltree.Duplicate:
		reason = ReasonID
	}
	// The text is fit to be shown; as Err it would be quoted once more.
	return &Error{Reason: reason, Detail: strings.TrimPrefix(e.Error(), "xmltree: ")}
}

// fromSignature gives the verifier's errors their Reason.
func fromSignature(what string, err error) error {
	var e *dsig.Error
	if !errors.As(err, &e) {
		return fromTree(err)
	}
	reason := map[dsig.Kind]Reason{
		dsig.Shape: ReasonSignatureShape, dsig.Algorithm: ReasonAlgorithm, dsig.WeakKey: ReasonKey,
		dsig.Invalid: ReasonSignature,
	}[e.Kind]
	return &Error{Reason: reason, Detail: what + ": " + e.Detail, Want: e.Want, Got: e.Got}
}
