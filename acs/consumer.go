package acs

import (
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/saml"
)

// Consumer is the assertion consumer service behind one ACS URL. It is an
// http.Handler for that URL's path, and safe for concurrent use. Put timeouts
// on the http.Server in front of it: how slowly a body arrives is not seen here.
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
	// Assertion is what was proved.
	Assertion *saml.Assertion
	// Region is the one that the ACS URL belongs to.
	Region string
	// ReturnTo is where to send the person: a path of ours, or a URL of one of
	// Config.RelayStateOrigins. It was checked. Empty: nowhere in particular.
	ReturnTo string
	// Unsolicited says that it answers no request: the user need not have wanted to
	// sign in. See [Accept].
	Unsolicited bool
	// RequestID is the ID of the request that it answers; empty if unsolicited.
	RequestID string
}

// ACS is the endpoint that this consumer serves.
func (c *Consumer) ACS() saml.Endpoint { return c.here }

// parseURL is the end of New.
func (c *Consumer) parseURL() error {
	var err error
	if c.url, err = url.Parse(c.here.URL); err != nil {
		return badConfig("Config.ACS", "can't be read", err)
	}
	_, err = formFields(c.url.RawQuery)
	return err
}

// ServeHTTP takes a response from a browser's POST (Bindings 3.5) and answers
// by itself unless it is accepted; then OnLogin answers.
func (c *Consumer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.secure(w.Header())
	v := c.newVerdict()
	out, err := c.consume(w, r, &v)
	switch {
	case err != nil:
		v.because(err)
		c.refuse(w, r, v, statusOf(err))
	case out.restart != nil:
		v.restarted()
		c.tell(r.Context(), v)
		c.startLogin(w, r, *out.restart, waitingRequest{by: InitiatorClick, restarted: true})
	default:
		v.Accepted = true
		c.tell(r.Context(), v)
		c.cfg.OnLogin(w, r, out.login) // [4]
	}
}

// outcome is what becomes of a response that is not refused: one of its fields
// is set.
type outcome struct {
	login   *Login        // the user is signed in
	restart *LoginOptions // the assertion was dropped, and a sign-in of our own starts
}

// consume is the way of an assertion from [1], HTTP, through [2], Verify, to
// [3], admit. [4], OnLogin, is called by ServeHTTP, when the body is released.
func (c *Consumer) consume(w http.ResponseWriter, r *http.Request, v *Verdict) (outcome, error) {
	// [1] What the browser sent: the form, and the requests that it has waiting.
	held := c.bodies.hold(c.cfg.ClientAddr(r))
	defer held.release() // the response's copies, too, are gone by then
	form, err := c.readForm(w, r, held)
	if err != nil {
		return outcome{}, err
	}
	waiting := waitingRequests(r)

	// [2] What was signed, if every rule holds. Nothing is used up until then.
	assertion, err := c.cfg.SP.Verify([]byte(form.response), c.verifyOptions(waiting))
	if err != nil {
		return outcome{}, asCancelled(err)
	}
	v.proved(assertion)

	// [3] Whether it is used for the first time, for a request of this browser's.
	if assertion.InResponseTo() == "" && c.cfg.Unsolicited == Restart {
		return c.restart(form.relayState, waiting)
	}
	login, err := c.admit(w, r, assertion, form.relayState, waiting)
	if err != nil {
		return outcome{}, err
	}
	return outcome{login: login}, nil
}

// verifyOptions tells Verify what this consumer takes: an answer to one of the
// requests that wait, and an unsolicited response only where Config.Unsolicited
// has a use for it. Unsolicited means a response without any InResponseTo. One
// that names a request must answer a request that waits, whatever the policy:
// otherwise the answer to another browser's request, or to one that was
// answered before, would pass as unsolicited.
func (c *Consumer) verifyOptions(waiting []waitingRequest) saml.VerifyOptions {
	ids := make([]string, 0, len(waiting)) // not nil: a browser without requests is refused with the reason
	for _, q := range waiting {
		ids = append(ids, q.id)
	}
	return saml.VerifyOptions{ACS: c.here.URL, RequestIDs: ids, Unsolicited: c.cfg.Unsolicited != Refuse}
}

// restart drops an unsolicited assertion: nothing of it is stored or trusted.
// The user may go on to where it would have led, signed in by an answer to a
// request of this browser's own.
func (c *Consumer) restart(relayState string, waiting []waitingRequest) (outcome, error) {
	if c.goingRound(waiting) {
		return outcome{}, &Error{Reason: ReasonUnsolicited, Rule: "Config.Unsolicited", Detail: "restarting led back here: does the identity provider answer requests?"}
	}
	return outcome{restart: &LoginOptions{ReturnTo: c.allowed.allow(relayState)}}, nil
}

// goingRound notices an identity provider that never answers a request: then
// each restart would come back as another unsolicited response, for ever.
func (c *Consumer) goingRound(waiting []waitingRequest) bool {
	since := c.cfg.SP.Now().Add(-restartWindow).Unix()
	recent := 0
	for _, q := range waiting {
		if q.restarted && q.at >= since {
			recent++
		}
	}
	return recent >= maxRestarts
}
