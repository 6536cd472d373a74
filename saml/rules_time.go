package saml

import "time"

// window is the instant at which the assertion can no longer be used: the
// earliest of the three that bound it. A longer validity is cut, not refused.
func (v *verification) window() time.Time {
	end := v.asrt.issueInstant.Add(v.cfg.MaxAge)
	if v.bearer != nil && v.bearer.notOnOrAfter.given {
		end = earliest(end, v.bearer.notOnOrAfter.at)
	}
	if t := v.asrt.conditions.notOnOrAfter; t.given {
		end = earliest(end, t.at)
	}
	return end
}

// mustHaveBegun and mustNotBeOver put an instant's name into the error.
func (v *verification) mustHaveBegun(what string, t time.Time) error {
	if begun(v.now, t, v.cfg.Skew) {
		return nil
	}
	return &Error{Reason: ReasonNotYetValid, Detail: what, Want: "not after " + stamp(v.now) + " + " + v.cfg.Skew.String(), Got: stamp(t)}
}

func (v *verification) mustNotBeOver(what string, t time.Time) error {
	if notOver(v.now, t, v.cfg.Skew) {
		return nil
	}
	return &Error{Reason: ReasonExpired, Detail: what, Want: "after " + stamp(v.now) + " - " + v.cfg.Skew.String(), Got: stamp(t)}
}

// checkConfirmationWindow: NotOnOrAfter is required of a bearer (Profiles
// 4.1.4.2). NotBefore is forbidden there; real identity providers send it, so
// it is enforced instead.
func (v *verification) checkConfirmationWindow() error {
	c := v.bearer
	if !c.notOnOrAfter.given {
		return &Error{Reason: ReasonTime, Detail: "a bearer's SubjectConfirmationData has no NotOnOrAfter"}
	}
	if c.notBefore.given {
		if !c.notBefore.at.Before(c.notOnOrAfter.at) {
			return &Error{Reason: ReasonTime, Detail: "SubjectConfirmationData ends before it begins"}
		}
		if err := v.mustHaveBegun("SubjectConfirmationData/@NotBefore", c.notBefore.at); err != nil {
			return err
		}
	}
	return v.mustNotBeOver("SubjectConfirmationData/@NotOnOrAfter", c.notOnOrAfter.at)
}

func (v *verification) checkConditionsWindow() error {
	c := v.asrt.conditions
	if c.notBefore.given && c.notOnOrAfter.given && !c.notBefore.at.Before(c.notOnOrAfter.at) {
		return &Error{Reason: ReasonTime, Detail: "Conditions end before they begin"}
	}
	if c.notBefore.given {
		if err := v.mustHaveBegun("Conditions/@NotBefore", c.notBefore.at); err != nil {
			return err
		}
	}
	if c.notOnOrAfter.given {
		return v.mustNotBeOver("Conditions/@NotOnOrAfter", c.notOnOrAfter.at)
	}
	return nil
}

// checkIssueInstants wants neither message from the future nor older than
// Config.MaxAge, whatever else it says of its validity.
func (v *verification) checkIssueInstants() error {
	if err := v.checkIssueInstant("Assertion/@IssueInstant", v.asrt.issueInstant); err != nil {
		return err
	}
	return v.checkIssueInstant("Response/@IssueInstant", v.resp.issueInstant)
}

func (v *verification) checkIssueInstant(what string, at time.Time) error {
	if err := v.mustHaveBegun(what, at); err != nil {
		return err
	}
	if !notOver(v.now, at.Add(v.cfg.MaxAge), v.cfg.Skew) {
		return v.mustNotBeOver(what+" + MaxAge", at.Add(v.cfg.MaxAge))
	}
	return nil
}

// checkAuthn wants to know when the person authenticated: not in the future,
// and not longer ago than Config.MaxAuthnAge where that is set. Otherwise it
// may be long ago, which is what single sign-on is for.
func (v *verification) checkAuthn() error {
	if len(v.asrt.authn) == 0 {
		return &Error{Reason: ReasonAuthn, Detail: "no AuthnStatement"}
	}
	for _, s := range v.asrt.authn {
		if err := v.mustHaveBegun("AuthnStatement/@AuthnInstant", s.instant); err != nil {
			return err
		}
		if max := v.cfg.MaxAuthnAge; max > 0 && !notOver(v.now, s.instant.Add(max), v.cfg.Skew) {
			return &Error{Reason: ReasonAuthn, Detail: "authenticated too long ago", Want: "not over " + max.String() + " ago", Got: stamp(s.instant)}
		}
	}
	return nil
}

func (v *verification) checkSession() error {
	for _, s := range v.asrt.authn {
		if s.sessionNotOnOrAfter.given && !notOver(v.now, s.sessionNotOnOrAfter.at, v.cfg.Skew) {
			return &Error{Reason: ReasonSession, Want: "after " + stamp(v.now) + " - " + v.cfg.Skew.String(), Got: stamp(s.sessionNotOnOrAfter.at)}
		}
	}
	return nil
}
