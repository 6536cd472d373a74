package saml

import "errors"

// Check is one rule and whether it held.
type Check struct {
	Rule   string // for example "Recipient (Profiles 4.1.4.2)"
	OK     bool
	Detail string // why not
	Reason Reason // of a rule that did not hold
}

// Report is what [ServiceProvider.Explain] found: the verdict that Verify
// returns, and every rule that was reached. Once the signatures hold, all other
// rules are looked at, so that one run names everything that is wrong. Where
// others can have changed what was decrypted, Checks tells more than Err does:
// don't show them to the client that sent the message.
type Report struct {
	Assertion *Assertion // nil if refused
	Err       error      // the first rule that didn't hold
	Checks    []Check
}

// Explain verifies like [ServiceProvider.Verify], and tells rule by rule. It is
// for people who look into a sign-in that went wrong, not for sign-in.
func (sp *ServiceProvider) Explain(raw []byte, want VerifyOptions) Report {
	var t trace
	assertion, err := sp.verifyBase64(raw, want, &t)
	return Report{assertion, err, t.checks}
}

// ExplainXML is Explain for a response that is no longer in base64.
func (sp *ServiceProvider) ExplainXML(doc []byte, want VerifyOptions) Report {
	var t trace
	assertion, err := sp.verify(string(doc), want, &t)
	return Report{assertion, err, t.checks}
}

// trace records rules for Explain. A nil trace records nothing.
type trace struct{ checks []Check }

// step records whether a rule held, and names it in an error that doesn't name
// one already.
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
