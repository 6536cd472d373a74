package acs

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/meridian-saml/meridian/saml"
)

// Consumer is the assertion consumer service at one ACS URL. It is an http.Handler for that URL's path, and safe
// for concurrent use. Set timeouts on the http.Server: a Consumer does not limit the time to read a body.
type Consumer struct {
	cfg     Config // validated; never changed
	here    saml.Endpoint
	url     *url.URL // of here
	allowed origins
	*shared
}

// shared is what the consumers of a Region share.
type shared struct {
	clients     *clients
	bodies      *budget
	admission   *admission
	soap        *soapClient
	unsolicited *unsolicitedArtifacts
	refusals    *refusals
}

// newShared returns the shared part of a Config that has its defaults.
func newShared(cfg *Config) *shared {
	return &shared{
		clients: newClients(cfg.requestQuota(), cfg.RequestLifetime), bodies: newBodies(cfg.MaxBodies),
		admission: newAdmission(cfg.MaxAtOnce), soap: newSOAPClient(cfg), unsolicited: newUnsolicitedArtifacts(),
		refusals: newRefusals(),
	}
}

// Login is an accepted sign-in.
type Login struct {
	// Assertion is the verified assertion.
	Assertion *saml.Assertion
	// Region is the Region of the ACS URL.
	Region string
	// ReturnTo is where to redirect the user: a path of this origin, or a URL of one of Config.RelayStateOrigins.
	// It is validated. Empty: the sign-in named no place, or an invalid one.
	ReturnTo string
	// Unsolicited reports that the response answers no request. The user may not have wanted to sign in: see
	// [Accept].
	Unsolicited bool
	// Restarted reports that [Restart] began the sign-in: the identity provider chose itself, and not the user. If there
	// are several, ask the user for confirmation before a signed-in browser changes to a user of another one.
	Restarted bool
	// RequestID is the ID of the answered request; empty if unsolicited.
	RequestID string

	consumer *Consumer // for MissingAttributes, as verdict is
	verdict  *Verdict  // which a log of the Login doesn't show
}

// ACS returns the endpoint that this consumer serves.
func (c *Consumer) ACS() saml.Endpoint { return c.here }

// ServeHTTP handles a SAML response in a browser's POST (Bindings 3.5), and where the endpoint has an ArtifactIndex
// also an artifact, by GET or POST (Bindings 3.6). If it is accepted, OnLogin writes the HTTP response. Otherwise
// ServeHTTP does.
func (c *Consumer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.setHeaders(w.Header())
	v := c.newVerdict()
	observed, end := c.observe(r)
	var turn *place
	defer func() { turn.end(false) }() // after a panic
	login, restart, err := c.consume(w, observed, &v, &turn)
	if login == nil {
		turn.end(false) // the client may read what follows slowly
	}
	switch {
	case err != nil:
		v.setError(err)
		c.refuse(w, observed, v, end)
	case restart != nil:
		v.Reason, v.Rule, v.Detail = string(ReasonRestarted), ruleUnsolicited, "dropped the assertion and started a sign-in"
		c.report(observed.Context(), v, end)
		o := c.loginOptions(r) // so that it asks for no less than a sign-in that begins here
		o.IdP, o.ReturnTo = restart.IdP, restart.ReturnTo
		c.startLogin(w, r, o, pendingRequest{by: InitiatorClick, restarted: true})
	default:
		v.Accepted = true
		c.report(observed.Context(), v, end)
		login.consumer, login.verdict = c, &v
		c.cfg.OnLogin(w, r, login) // [4]
		turn.end(true)
	}
}

// loginOptions returns what a sign-in asks for that Login or Restart begins.
func (c *Consumer) loginOptions(r *http.Request) LoginOptions {
	if c.cfg.LoginOptions == nil {
		return LoginOptions{}
	}
	return c.cfg.LoginOptions(r)
}

// consume runs the stages of a response: [1] HTTP, [2] Verify, [3] admit. It returns the accepted sign-in, or the
// IdP and ReturnTo of the sign-in to start after a Restart. When the body is released, ServeHTTP calls [4], OnLogin.
// It sets turn when the response is admitted, and ServeHTTP ends it.
func (c *Consumer) consume(
	w http.ResponseWriter, r *http.Request, v *Verdict, turn **place,
) (*Login, *LoginOptions, error) {
	// [1] The browser's input: the form, and the cookies of its pending requests.
	held := c.bodies.hold(c.cfg.ClientAddr(r))
	defer held.release() // when the copies of the response are free, too
	in, err := c.readInput(w, r, held)
	if err != nil {
		return nil, nil, err
	}
	pending := pendingRequests(r)
	if *turn, err = c.admission.enter(r.Context(), c.cfg.ClientAddr(r)); err != nil {
		return nil, nil, err
	}

	// [2] The assertion, if every rule holds. Nothing is consumed before, except by an artifact.
	var assertion *saml.Assertion
	var taken *takenRequest
	verified := c.observeVerification(r.Context())
	if in.artifact != "" {
		(*turn).end(false) // calls by SOAP have bounds of their own, and their time says nothing of the stores
		assertion, taken, err = c.resolve(w, r, in, pending, held)
	} else {
		assertion, err = c.cfg.SP.Verify([]byte(in.response), c.verifyOptions(pending))
	}
	verified(err)
	if err != nil {
		return nil, nil, asCancelled(err)
	}
	v.setAssertion(assertion)

	// [3] The first use of the assertion, and for a request of this browser.
	if assertion.InResponseTo() == "" && c.cfg.Unsolicited == Restart {
		restart, err := c.restart(assertion.Issuer(), in.relayState, pending)
		return nil, restart, err
	}
	login, err := c.admit(w, r, assertion, in.relayState, pending, taken)
	return login, nil, err
}

// verifyOptions accepts an answer to one of the pending requests, and an unsolicited response unless
// Config.Unsolicited is Refuse. A response with an InResponseTo is never unsolicited. Otherwise the answer to
// another browser's request could be accepted as unsolicited.
func (c *Consumer) verifyOptions(pending []pendingRequest) saml.VerifyOptions {
	ids := make([]string, 0, len(pending)) // not nil: Verify refuses nil
	for _, q := range pending {
		if !q.isDiscovery() {
			ids = append(ids, q.id)
		}
	}
	return saml.VerifyOptions{ACS: c.here.URL, RequestIDs: ids, Unsolicited: c.cfg.Unsolicited != Refuse}
}

// restart drops an unsolicited assertion, and stores and trusts none of its values. The new sign-in is at its
// identity provider. If its RelayState is a safe redirect target, it becomes the ReturnTo.
//
// An identity provider that ignores requests would answer each restart with another unsolicited response. After
// maxRestarts within restartWindow, the response is refused.
func (c *Consumer) restart(idp, relayState string, pending []pendingRequest) (*LoginOptions, error) {
	since, recent := c.cfg.SP.Now().Add(-restartWindow).Unix(), 0
	for _, q := range pending {
		if q.restarted && q.at >= since {
			recent++
		}
	}
	if recent >= maxRestarts {
		return nil, newError(ReasonUnsolicited, ruleUnsolicited,
			"restarted sign-ins led back here: does the identity provider answer requests?")
	}
	return &LoginOptions{IdP: idp, ReturnTo: c.allowed.allow(relayState)}, nil
}

// The status codes (Core 3.2.2.2) for a user who was not signed in, as opposed to an error. Most identity
// providers send AuthnFailed when the user cancels.
const statusPrefix = "urn:oasis:names:tc:SAML:2.0:status:"

var (
	cancelledTop    = []string{statusPrefix + "Responder", statusPrefix + "Requester"}
	cancelledSecond = []string{statusPrefix + "AuthnFailed", statusPrefix + "RequestDenied", statusPrefix + "NoPassive"}
)

// asCancelled returns an Error with ReasonCancelled for such a response, and other errors unchanged. The response
// is usually unsigned, so this only selects the page and the log level. The request stays pending.
func asCancelled(err error) error {
	var e *saml.Error
	if !errors.As(err, &e) || e.Reason != saml.ReasonStatus || len(e.Status) == 0 ||
		!slices.Contains(cancelledTop, e.Status[0]) ||
		!slices.ContainsFunc(e.Status[1:], func(code string) bool { return slices.Contains(cancelledSecond, code) }) {
		return err
	}
	return newError(ReasonCancelled, e.Rule, "the identity provider did not sign the user in").compared(e.Want, e.Got)
}
