package saml

// CheckRequest compares an assertion with what the request that it answers had
// asked for. What was asked is enforced: an identity provider that can't do it
// should have said so with a status. The error is a [*Error].
func (a *Assertion) CheckRequest(record RequestRecord) error {
	switch {
	case a.InResponseTo() != record.ID || record.ID == "":
		return &Error{Reason: ReasonInResponseTo, Rule: "InResponseTo (Profiles 4.1.4.3)", Want: record.ID, Got: a.InResponseTo()}
	case a.Issuer() != record.IdP:
		return &Error{Reason: ReasonIdP, Rule: "Issuer (Profiles 4.1.4.3)", Want: record.IdP, Got: a.Issuer()}
	case a.acs.URL != record.ACS:
		return &Error{Reason: ReasonRecipient, Rule: "AssertionConsumerServiceURL (Core 3.4.1)", Want: record.ACS, Got: a.acs.URL}
	}
	if err := record.AuthnContext.check(); err != nil {
		return err
	}
	if record.At.IsZero() {
		return configError("RequestRecord.At", "is required", nil)
	}
	if err := a.checkRequestedAuthn(record); err != nil {
		return err
	}
	want, got := record.NameIDFormat, a.NameID().Format
	if want != "" && want != formatUnspec && got != want {
		return &Error{Reason: ReasonNameID, Rule: "NameIDPolicy (Core 3.4.1.1)", Want: want, Got: got}
	}
	return nil
}

// checkRequestedAuthn wants the newest AuthnStatement, which is the one that
// [Assertion.AuthnContext] tells of, to be as fresh and of the kind that was
// asked for.
func (a *Assertion) checkRequestedAuthn(record RequestRecord) error {
	s := a.newest()
	switch {
	case record.ForceAuthn && !begun(s.instant, record.At, a.skew):
		return &Error{Reason: ReasonAuthn, Rule: "ForceAuthn (Core 3.4.1)", Want: "authenticated at or after " + stamp(record.At), Got: stamp(s.instant)}
	case record.AuthnContext != nil && !record.AuthnContext.allows(s.classRef):
		return &Error{Reason: ReasonAuthn, Rule: "RequestedAuthnContext (Core 3.3.2.2.1)", Want: record.AuthnContext.String(), Got: s.classRef}
	}
	return nil
}
