package main

import (
	"errors"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// examine verifies a message. An invalid expectation or configuration is an error, not a verdict.
func (o *options) examine(m message) (*report, error) {
	if m.err != nil {
		c := saml.Check{Rule: m.err.Rule, Detail: m.err.Explain(), Reason: m.err.Reason}
		out := outcome{Remaining: []remaining{newRemaining(c)}, Unreached: true}
		return newReport(saml.Report{Err: m.err, Checks: []saml.Check{c}}, out, nil), nil
	}
	r, err := o.explain(m)
	if weak := new(saml.Error); errors.As(err, &weak) && weak.Reason == saml.ReasonKey {
		return nil, o.weakKey(err, m)
	}
	if err != nil {
		return nil, err
	}
	var out outcome
	if r.Assertion == nil {
		out = o.search(m)
	}
	return newReport(r, out, o.notes(m, r.Assertion)), nil
}

// explain verifies a message in either form.
func (o *options) explain(m message) (saml.Report, error) {
	sp, err := o.serviceProvider()
	if err != nil {
		return saml.Report{}, err
	}
	explain := sp.Explain
	if artifact, ok := o.artifact(m); ok {
		explain = func(envelope []byte, want saml.VerifyOptions) saml.Report {
			return sp.ExplainArtifactResponse(envelope, artifact.record(o.config.IdP.IdP()), want)
		}
	} else if isXML(m.body) {
		explain = sp.ExplainXML
	}
	r := explain(m.body, saml.VerifyOptions{ACS: o.acs, RequestIDs: o.requestIDs, Unsolicited: o.unsolicited})
	e := new(saml.Error)
	if errors.As(r.Err, &e) && e.Reason == saml.ReasonConfig {
		return saml.Report{}, inFlags(e, o.flagOf(), "")
	}
	for i := range r.Checks {
		r.Checks[i].Detail = flagNames.Replace(r.Checks[i].Detail)
	}
	e.Detail = flagNames.Replace(e.Detail)
	return r, nil
}

// flagNames replaces the fields that details name by flags.
var flagNames = strings.NewReplacer(
	"Config.WantAssertionsSigned", "-want-assertions-signed", "Config.WantResponsesSigned", "-want-responses-signed",
)

// weakKey completes the error about a -key that is too short. No service provider can use such a key, so the response
// is checked without it.
func (o *options) weakKey(err error, m message) error {
	if o.config.InsecureAllowRSA1024 {
		return err
	}
	out := o.search(m)
	text := err.Error() + "; -allow-rsa1024 would pass this"
	for _, f := range out.Missing {
		if f.Flag != "-allow-rsa1024" {
			text += ", " + f.Flag + " is needed too"
		}
	}
	for _, c := range out.Remaining {
		if c.Rule == configuration {
			return err
		}
		text += "; no flag passes " + c.Rule + ": " + c.Detail
	}
	if out.PassesWithMissing {
		text += "; with that the response would pass"
	}
	return errors.New(text)
}
