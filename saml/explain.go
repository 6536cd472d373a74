package saml

// Check is one rule and its result.
type Check struct {
	Rule   string // for example "Recipient (Profiles 4.1.4.2)"
	OK     bool
	Detail string // why not
	Reason Reason // empty if the rule holds
}

// Report is the result of [ServiceProvider.Explain]: the result of Verify, and every
// rule that was checked. Once the signatures verify, all other rules are checked, so
// one run reports every problem. If an attacker could have changed the ciphertext,
// Checks reveals more than Err. Don't show it to the client that sent the message.
type Report struct {
	Assertion *Assertion // nil if refused
	Err       error      // the first rule that didn't hold
	Checks    []Check
}

// Explain verifies like [ServiceProvider.Verify] and reports on every rule. Use it
// to investigate a failed sign-in, not to sign users in.
func (sp *ServiceProvider) Explain(raw []byte, want VerifyOptions) Report {
	var t trace
	assertion, err := sp.verifyBase64(raw, want, &t)
	return Report{assertion, err, t.checks}
}

// ExplainXML is Explain for a response that is no longer in base64.
func (sp *ServiceProvider) ExplainXML(doc []byte, want VerifyOptions) Report {
	var t trace
	assertion, err := sp.verify(string(doc), nil, want, &t)
	return Report{assertion, err, t.checks}
}
