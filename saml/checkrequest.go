package saml

import "cmp"

// CheckRequest checks that the assertion satisfies the request that it answers.
// Every option of the record is enforced: an identity provider that can't satisfy one
// must answer with an error status. The error is a [*Error].
func (a *Assertion) CheckRequest(record RequestRecord) error {
	mismatch := func(reason Reason, rule, want, got string) error {
		return &Error{Reason: reason, Rule: rule, Want: want, Got: got}
	}
	switch {
	case a.InResponseTo() != record.ID || record.ID == "":
		return mismatch(ReasonInResponseTo, "InResponseTo (Profiles 4.1.4.3)", record.ID, a.InResponseTo())
	case a.Issuer() != record.IdP:
		return mismatch(ReasonIdP, "Issuer (Profiles 4.1.4.3)", record.IdP, a.Issuer())
	case a.acs.URL != record.ACS:
		return mismatch(ReasonRecipient, "AssertionConsumerServiceURL (Core 3.4.1)", record.ACS, a.acs.URL)
	}
	if err := record.AuthnContext.Check(); err != nil {
		return err
	}
	authn := a.newest()
	switch {
	case record.At.IsZero():
		return configError("RequestRecord.At", "is required")
	case record.ForceAuthn && !begun(authn.instant, record.At, a.skew):
		want := "authenticated at or after " + stamp(record.At)
		return mismatch(ReasonAuthn, "ForceAuthn (Core 3.4.1)", want, stamp(authn.instant))
	case record.AuthnContext != nil && !record.AuthnContext.Allows(authn.classRef):
		want := record.AuthnContext.String()
		return mismatch(ReasonAuthn, "RequestedAuthnContext (Core 3.3.2.2.1)", want, authn.classRef)
	}
	if record.Subject != nil {
		if err := a.checkSubject(*record.Subject); err != nil {
			return err
		}
	}
	format, qualifier, got := record.NameIDFormat, record.SPNameQualifier, a.a.nameID
	switch {
	case format != "" && format != formatUnspec && got.Format != format:
		return mismatch(ReasonNameID, "NameIDPolicy (Core 3.4.1.1)", format, got.Format)
	case qualifier != "" && (!a.a.hasNameID || cmp.Or(got.SPNameQualifier, a.sp) != qualifier):
		return mismatch(ReasonNameID, "NameIDPolicy/@SPNameQualifier (Core 3.4.1.1)", qualifier, got.SPNameQualifier)
	}
	return nil
}
