package acs

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/meridian-saml/meridian/saml"
)

// Consumer is the assertion consumer service at one ACS URL. It is an http.Handler for that URL's path, and safe for
// concurrent use. Set timeouts on the http.Server: a Consumer does not limit how long a body takes to arrive.
type Consumer struct {
	cfg     Config // checked, never changed
	here    saml.Endpoint
	url     *url.URL // of here
	allowed origins
	clients *clients // shared by the consumers of a Region, as bodies are
	bodies  *bodies
}

// Login is an accepted sign-in.
type Login struct {
	// Assertion is what the identity provider said, verified.
	Assertion *saml.Assertion
	// Region is the Region of the ACS URL.
	Region string
	// ReturnTo is where to send the user: a path of this origin, or a URL of one of
	// Config.RelayStateOrigins. It was checked. Empty: no place was given.
	ReturnTo string
	// Unsolicited says that the response answers no request: the user need not have wanted to sign in. See [Accept].
	Unsolicited bool
	// RequestID is the ID of the answered request; empty if unsolicited.
	RequestID string
}

// ACS returns the endpoint that this consumer serves.
func (c *Consumer) ACS() saml.Endpoint { return c.here }

// ServeHTTP takes a response from a browser's POST (Bindings 3.5). OnLogin writes the answer if the
// response is accepted; otherwise ServeHTTP does.
func (c *Consumer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.setHeaders(w.Header())
	v := c.newVerdict()
	login, restart, err := c.consume(w, r, &v)
	switch {
	case err != nil:
		v.setError(err)
		c.refuse(w, r, v)
	case restart != nil:
		v.Reason, v.Rule, v.Detail = string(ReasonRestarted), ruleUnsolicited, "dropped, and a sign-in started"
		c.report(r.Context(), v)
		c.startLogin(w, r, *restart, waitingRequest{by: InitiatorClick, restarted: true})
	default:
		v.Accepted = true
		c.report(r.Context(), v)
		c.cfg.OnLogin(w, r, login) // [4]
	}
}

// consume goes through the stages of a response: [1] HTTP, [2] Verify, [3] admit. It returns the accepted
// sign-in, or the options of the sign-in to start because the assertion was dropped. ServeHTTP calls [4],
// OnLogin, when the body has been released.
func (c *Consumer) consume(w http.ResponseWriter, r *http.Request, v *Verdict) (*Login, *LoginOptions, error) {
	// [1] What the browser sent: the form, and its waiting requests.
	held := c.bodies.hold(c.cfg.ClientAddr(r))
	defer held.release() // the response's copies, too, are gone by then
	response, relayState, err := c.readForm(w, r, held)
	if err != nil {
		return nil, nil, err
	}
	waiting := waitingRequests(r)

	// [2] What was signed, if every rule holds. Nothing is consumed until then.
	assertion, err := c.cfg.SP.Verify([]byte(response), c.verifyOptions(waiting))
	if err != nil {
		return nil, nil, asCancelled(err)
	}
	v.setAssertion(assertion)

	// [3] Whether it is used for the first time, for a request of this browser.
	if assertion.InResponseTo() == "" && c.cfg.Unsolicited == Restart {
		restart, err := c.restart(relayState, waiting)
		return nil, restart, err
	}
	login, err := c.admit(w, r, assertion, relayState, waiting)
	return login, nil, err
}

// verifyOptions returns what this consumer accepts: an answer to one of the waiting requests, and an unsolicited
// response unless Config.Unsolicited is Refuse. Unsolicited means without any InResponseTo: a response that names a
// request must answer a waiting one, or the answer to another browser's request would pass as unsolicited.
func (c *Consumer) verifyOptions(waiting []waitingRequest) saml.VerifyOptions {
	ids := make([]string, 0, len(waiting)) // not nil: a browser without requests is refused with the reason
	for _, q := range waiting {
		ids = append(ids, q.id)
	}
	return saml.VerifyOptions{ACS: c.here.URL, RequestIDs: ids, Unsolicited: c.cfg.Unsolicited != Refuse}
}

// restart drops an unsolicited assertion: nothing of it is stored or trusted. The user may go on to the
// place that it names, signed in by an answer to a request of this browser's own.
//
// An identity provider that never answers requests would send each restart back as another unsolicited
// response; after maxRestarts within restartWindow it is refused.
func (c *Consumer) restart(relayState string, waiting []waitingRequest) (*LoginOptions, error) {
	since, recent := c.cfg.SP.Now().Add(-restartWindow).Unix(), 0
	for _, q := range waiting {
		if q.restarted && q.at >= since {
			recent++
		}
	}
	if recent >= maxRestarts {
		return nil, newError(ReasonUnsolicited, ruleUnsolicited,
			"restarting led back here: does the identity provider answer requests?")
	}
	return &LoginOptions{ReturnTo: c.allowed.allow(relayState)}, nil
}

// The status codes of Core 3.2.2.2 with which an identity provider says that it did not sign the user in,
// rather than that something is wrong. Most send AuthnFailed when the user cancels.
const statusPrefix = "urn:oasis:names:tc:SAML:2.0:status:"

var (
	cancelledTop    = []string{statusPrefix + "Responder", statusPrefix + "Requester"}
	cancelledSecond = []string{statusPrefix + "AuthnFailed", statusPrefix + "RequestDenied", statusPrefix + "NoPassive"}
)

// asCancelled returns an Error with ReasonCancelled for such a response, and other errors unchanged. The
// response is usually not signed, so this only chooses the page and the log level: the request waits on.
func asCancelled(err error) error {
	var e *saml.Error
	if !errors.As(err, &e) || e.Reason != saml.ReasonStatus || len(e.Status) == 0 ||
		!slices.Contains(cancelledTop, e.Status[0]) ||
		!slices.ContainsFunc(e.Status[1:], func(code string) bool { return slices.Contains(cancelledSecond, code) }) {
		return err
	}
	return newError(ReasonCancelled, e.Rule, "the identity provider did not sign the user in").compared(e.Want, e.Got)
}
