package saml

import "time"

// window is the instant at which the assertion can no longer be used: the
// earliest of the three that bound it. A longer validity is cut, not refused.
func (c *claims) window() time.Time {
	end := c.assertion.issueInstant.Add(c.cfg.MaxAge)
	if c.bearer != nil && c.bearer.notOnOrAfter.given {
		end = earliest(end, c.bearer.notOnOrAfter.at)
	}
	if t := c.assertion.conditions.notOnOrAfter; t.given {
		end = earliest(end, t.at)
	}
	return end
}

// checkNotBefore and checkNotOnOrAfter put an instant's name into the error.
func (c *claims) checkNotBefore(what string, t time.Time) error {
	if begun(c.now, t, c.cfg.Skew) {
		return nil
	}
	return &Error{Reason: ReasonNotYetValid, Detail: what, Want: "not after " + stamp(c.now) + " + " + c.cfg.Skew.String(), Got: stamp(t)}
}

func (c *claims) checkNotOnOrAfter(what string, t time.Time) error {
	if notOver(c.now, t, c.cfg.Skew) {
		return nil
	}
	return &Error{Reason: ReasonExpired, Detail: what, Want: "after " + stamp(c.now) + " - " + c.cfg.Skew.String(), Got: stamp(t)}
}

// checkConfirmationWindow: NotOnOrAfter is required of a bearer (Profiles
// 4.1.4.2). NotBefore is forbidden there; real identity providers send it, so
// it is enforced instead.
func (c *claims) checkConfirmationWindow() error {
	b := c.bearer
	if !b.notOnOrAfter.given {
		return &Error{Reason: ReasonTime, Detail: "a bearer's SubjectConfirmationData has no NotOnOrAfter"}
	}
	if b.notBefore.given {
		if !b.notBefore.at.Before(b.notOnOrAfter.at) {
			return &Error{Reason: ReasonTime, Detail: "SubjectConfirmationData ends before it begins"}
		}
		if err := c.checkNotBefore("SubjectConfirmationData/@NotBefore", b.notBefore.at); err != nil {
			return err
		}
	}
	return c.checkNotOnOrAfter("SubjectConfirmationData/@NotOnOrAfter", b.notOnOrAfter.at)
}

func (c *claims) checkConditionsWindow() error {
	w := c.assertion.conditions
	if w.notBefore.given && w.notOnOrAfter.given && !w.notBefore.at.Before(w.notOnOrAfter.at) {
		return &Error{Reason: ReasonTime, Detail: "Conditions end before they begin"}
	}
	if w.notBefore.given {
		if err := c.checkNotBefore("Conditions/@NotBefore", w.notBefore.at); err != nil {
			return err
		}
	}
	if w.notOnOrAfter.given {
		return c.checkNotOnOrAfter("Conditions/@NotOnOrAfter", w.notOnOrAfter.at)
	}
	return nil
}

// checkIssueInstants wants neither message from the future nor older than
// Config.MaxAge, whatever else it says of its validity.
func (c *claims) checkIssueInstants() error {
	if err := c.checkIssueInstant("Assertion/@IssueInstant", c.assertion.issueInstant); err != nil {
		return err
	}
	return c.checkIssueInstant("Response/@IssueInstant", c.response.issueInstant)
}

func (c *claims) checkIssueInstant(what string, at time.Time) error {
	if err := c.checkNotBefore(what, at); err != nil {
		return err
	}
	if !notOver(c.now, at.Add(c.cfg.MaxAge), c.cfg.Skew) {
		return c.checkNotOnOrAfter(what+" + MaxAge", at.Add(c.cfg.MaxAge))
	}
	return nil
}

// checkAuthn wants to know when the person authenticated: not in the future,
// and not longer ago than Config.MaxAuthnAge where that is set. Otherwise it
// may be long ago, which is what single sign-on is for.
func (c *claims) checkAuthn() error {
	if len(c.assertion.authn) == 0 {
		return &Error{Reason: ReasonAuthn, Detail: "no AuthnStatement"}
	}
	for _, s := range c.assertion.authn {
		if err := c.checkNotBefore("AuthnStatement/@AuthnInstant", s.instant); err != nil {
			return err
		}
		if max := c.cfg.MaxAuthnAge; max > 0 && !notOver(c.now, s.instant.Add(max), c.cfg.Skew) {
			return &Error{Reason: ReasonAuthn, Detail: "authenticated too long ago", Want: "not over " + max.String() + " ago", Got: stamp(s.instant)}
		}
	}
	return nil
}

func (c *claims) checkSession() error {
	for _, s := range c.assertion.authn {
		if s.sessionNotOnOrAfter.given && !notOver(c.now, s.sessionNotOnOrAfter.at, c.cfg.Skew) {
			return &Error{Reason: ReasonSession, Want: "after " + stamp(c.now) + " - " + c.cfg.Skew.String(), Got: stamp(s.sessionNotOnOrAfter.at)}
		}
	}
	return nil
}
