package acs

import (
	"context"
	"net/http"
)

// Observer watches a Region, for metrics and traces. Package telemetry implements it with OpenTelemetry. Its methods
// are called by several goroutines, also for messages of unauthenticated clients, and should return quickly. They can't
// change a verdict.
type Observer interface {
	// ObserveResponse is called for each request to an ACS URL, before it is read. The returned context is that of
	// Store's methods, OnVerdict and the log. end is called once, with the verdict, before OnLogin.
	ObserveResponse(context.Context) (_ context.Context, end func(Verdict))
	// ObserveVerification is called when the request has been read, with the context of ObserveResponse. end is called
	// once, with the error of saml.ServiceProvider.Verify, or nil.
	ObserveVerification(context.Context) (end func(error))
	// ObserveLogout is called with the result of each logout. Flow is FlowIdP for a LogoutRequest of an identity
	// provider. It is FlowSP for the answer to a LogoutRequest of ours, or if StartLogout could not send one, and empty
	// for a message that could not be read. Reason is saml.ReasonStatus if the identity provider did not end all
	// sessions, and ReasonEndSessions if Config.EndSessions did not.
	ObserveLogout(context.Context, Verdict)
	// ObserveSignIn is called by packages portal and middleware with what became of an accepted response: a session, if
	// reason is empty, or a refusal with a Reason of that package. It is not called by this package, nor if the user
	// decides to stay signed in as another user or doesn't return.
	ObserveSignIn(ctx context.Context, identityProvider string, unsolicited bool, reason string)
}

// observe returns r with the context of the operations on a response, and the function to be called with the verdict.
func (c *Consumer) observe(r *http.Request) (*http.Request, func(Verdict)) {
	if c.cfg.Observer == nil {
		return r, func(Verdict) {}
	}
	ctx, end := c.cfg.Observer.ObserveResponse(r.Context())
	return r.WithContext(ctx), end
}

func (c *Consumer) observeVerification(ctx context.Context) func(error) {
	if c.cfg.Observer == nil {
		return func(error) {}
	}
	return c.cfg.Observer.ObserveVerification(ctx)
}

func (c *Consumer) observeLogout(ctx context.Context, flow string, v Verdict) {
	if c.cfg.Observer != nil {
		v.Flow = flow
		c.cfg.Observer.ObserveLogout(ctx, v)
	}
}
