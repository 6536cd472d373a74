package saml

import "time"

// window returns the instant at which the assertion's validity ends: the earliest of
// its three bounds. A longer validity is shortened, not refused.
func (c *claims) window() time.Time {
	end := c.assertion.issueInstant.Add(c.cfg.MaxAge)
	if c.bearer != nil && c.bearer.notOnOrAfter.given {
		end = earliest(end, c.bearer.notOnOrAfter.value)
	}
	if t := c.assertion.conditions.notOnOrAfter; t.given {
		end = earliest(end, t.value)
	}
	return end
}

func (v *verification) checkNotBefore(what string, t time.Time) error {
	if begun(v.now, t, v.skew()) {
		return nil
	}
	want := "not after " + stamp(v.now) + " + " + v.skew().String()
	return &Error{Reason: ReasonNotYetValid, Detail: what, Want: want, Got: stamp(t)}
}

func (v *verification) checkNotOnOrAfter(what string, t time.Time) error {
	if notOver(v.now, t, v.skew()) {
		return nil
	}
	return &Error{Reason: ReasonExpired, Detail: what, Want: v.notOver(), Got: stamp(t)}
}

// notOver describes the accepted instants, for an error.
func (v *verification) notOver() string { return "after " + stamp(v.now) + " - " + v.skew().String() }

// checkConfirmationWindow requires NotOnOrAfter (Profiles 4.1.4.2). NotBefore is
// forbidden there, but identity providers send it, so it is enforced instead.
func (c *claims) checkConfirmationWindow() error {
	if !c.bearer.notOnOrAfter.given {
		return &Error{Reason: ReasonTime, Detail: "a bearer's SubjectConfirmationData has no NotOnOrAfter"}
	}
	return c.checkWindow("SubjectConfirmationData", c.bearer.notBefore, c.bearer.notOnOrAfter)
}

func (c *claims) checkConditionsWindow() error {
	return c.checkWindow("Conditions", c.assertion.conditions.notBefore, c.assertion.conditions.notOnOrAfter)
}

// checkWindow checks an element's NotBefore and NotOnOrAfter, of which each may be
// absent.
func (c *claims) checkWindow(element string, notBefore, notOnOrAfter optional[time.Time]) error {
	if notBefore.given && notOnOrAfter.given && !notBefore.value.Before(notOnOrAfter.value) {
		return &Error{Reason: ReasonTime, Detail: "the validity of " + element + " ends before it begins"}
	}
	if notBefore.given {
		if err := c.checkNotBefore(element+"/@NotBefore", notBefore.value); err != nil {
			return err
		}
	}
	if notOnOrAfter.given {
		return c.checkNotOnOrAfter(element+"/@NotOnOrAfter", notOnOrAfter.value)
	}
	return nil
}

// checkIssueInstants requires both instants to be neither in the future nor more
// than Config.MaxAge ago, whatever validity the message claims.
func (c *claims) checkIssueInstants() error {
	if err := c.checkIssueInstant("Assertion/@IssueInstant", c.assertion.issueInstant); err != nil {
		return err
	}
	return c.checkIssueInstant("Response/@IssueInstant", c.response.issueInstant)
}

func (v *verification) checkIssueInstant(what string, at time.Time) error {
	if err := v.checkNotBefore(what, at); err != nil {
		return err
	}
	return v.checkNotOnOrAfter(what+" + MaxAge", at.Add(v.cfg.MaxAge))
}

// checkAuthn requires an AuthnInstant that is not in the future, nor more than
// Config.MaxAuthnAge ago if that is set. Without that bound it may be old, as usual
// for single sign-on.
func (c *claims) checkAuthn() error {
	if len(c.assertion.authn) == 0 {
		return &Error{Reason: ReasonAuthn, Detail: "no AuthnStatement"}
	}
	for _, s := range c.assertion.authn {
		if err := c.checkNotBefore("AuthnStatement/@AuthnInstant", s.instant); err != nil {
			return err
		}
		if max := c.cfg.MaxAuthnAge; max > 0 && !notOver(c.now, s.instant.Add(max), c.skew()) {
			return &Error{
				Reason: ReasonAuthn, Detail: "authenticated too long ago",
				Want: "not over " + max.String() + " ago", Got: stamp(s.instant),
			}
		}
	}
	return nil
}

func (c *claims) checkSession() error {
	for _, s := range c.assertion.authn {
		if s.sessionNotOnOrAfter.given && !notOver(c.now, s.sessionNotOnOrAfter.value, c.skew()) {
			return &Error{Reason: ReasonSession, Want: c.notOver(), Got: stamp(s.sessionNotOnOrAfter.value)}
		}
	}
	return nil
}
