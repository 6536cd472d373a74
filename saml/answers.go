package saml

// Answers compares an assertion with what the request that it answers had
// asked for. What was asked is enforced: an identity provider that can't do it
// should have said so with a status. The error is a [*Error].
func (a *Assertion) Answers(asked Asked) error {
	switch {
	case a.InResponseTo() != asked.ID || asked.ID == "":
		return &Error{Reason: ReasonInResponseTo, Rule: "InResponseTo (Profiles 4.1.4.3)", Want: asked.ID, Got: a.InResponseTo()}
	case a.Issuer() != asked.IdP:
		return &Error{Reason: ReasonIdP, Rule: "Issuer (Profiles 4.1.4.3)", Want: asked.IdP, Got: a.Issuer()}
	case a.acs.URL != asked.ACS:
		return &Error{Reason: ReasonRecipient, Rule: "AssertionConsumerServiceURL (Core 3.4.1)", Want: asked.ACS, Got: a.acs.URL}
	}
	if err := asked.AuthnContext.check(); err != nil {
		return err
	}
	if asked.At.IsZero() {
		return configError("Asked.At", "is required", nil)
	}
	if err := a.answersAuthn(asked); err != nil {
		return err
	}
	want, got := asked.NameIDFormat, a.NameID().Format
	if want != "" && want != formatUnspec && got != want {
		return &Error{Reason: ReasonNameID, Rule: "NameIDPolicy (Core 3.4.1.1)", Want: want, Got: got}
	}
	return nil
}

// answersAuthn wants the newest AuthnStatement, which is the one that
// [Assertion.AuthnContext] tells of, to be as fresh and of the kind that was
// asked for.
func (a *Assertion) answersAuthn(asked Asked) error {
	s := a.newest()
	switch {
	case asked.ForceAuthn && !begun(s.instant, asked.At, a.skew):
		return &Error{Reason: ReasonAuthn, Rule: "ForceAuthn (Core 3.4.1)", Want: "authenticated at or after " + stamp(asked.At), Got: stamp(s.instant)}
	case asked.AuthnContext != nil && !asked.AuthnContext.allows(s.classRef):
		return &Error{Reason: ReasonAuthn, Rule: "RequestedAuthnContext (Core 3.3.2.2.1)", Want: asked.AuthnContext.String(), Got: s.classRef}
	}
	return nil
}
