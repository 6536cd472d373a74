package acs

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// logoutLease is how long a LogoutRequest counts as being handled. It is longer than Config.EndSessions takes.
const logoutLease = time.Minute

// endOnce ends the sessions that a LogoutRequest names, unless the request was used before. There are two records: one
// with a short lifetime that the request is being handled, and one that the sessions have ended. A node that stops in
// between leaves the first, so that the same request ends the sessions when it is sent again after logoutLease.
// Without the store, sessions end all the same. A replay would end only those that the request may end anyway: see
// NotOnOrAfter, and Logout.Ends of package sessions.
func (c *Consumer) endOnce(r *http.Request, req *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
	ctx := context.WithoutCancel(r.Context()) // the client may leave, and the sessions end then too
	now := c.cfg.SP.Now()
	value := []byte(stamp(now))
	begun := KeyPrefixAssertion + hashed("logout begun", req.IdP(), req.ID())
	ended := KeyPrefixAssertion + hashed("logout", req.IdP(), req.ID())
	until := req.NotOnOrAfter().Add(2*c.cfg.SP.Skew() + replayMargin)

	lease := c.cfg.Store.Add(ctx, begun, value, now.Add(logoutLease))
	// A store can't read a record but by taking it.
	if _, err := c.cfg.Store.Take(ctx, ended); err == nil {
		_ = c.cfg.Store.Add(ctx, ended, value, until)
		return 0, newError(ReasonReplay, ruleLogout, "the LogoutRequest was used before")
	}
	if errors.Is(lease, ErrExists) {
		return 0, newError(ReasonEndSessions, ruleLogout,
			"the same LogoutRequest is being handled, or was when a node stopped; it can be sent again in a minute")
	}
	status, err := c.cfg.EndSessions(ctx, req)
	if err != nil {
		_, _ = c.cfg.Store.Take(ctx, begun) // so that it can be sent again
		return 0, &Error{Reason: ReasonEndSessions, Rule: "Config.EndSessions", Err: err}
	}
	if err := c.cfg.Store.Add(ctx, ended, value, until); err != nil && !errors.Is(err, ErrExists) {
		c.logLogoutError(r, "saml logout not recorded", storeError("record the LogoutRequest", err))
	}
	return status, nil
}
