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
	// Unsolicited says that it answers no request: nobody at this browser need
	// have wanted to sign in. See [Accept].
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
	login, err := c.consume(w, r, &v)
	switch {
	case err == nil:
		v.Accepted = true
		c.tell(r.Context(), v)
		c.cfg.OnLogin(w, r, login)
	case reasonOf(err) == string(ReasonRestarted):
		v.because(err)
		c.tell(r.Context(), v)
		c.startLogin(w, r, LoginOptions{ReturnTo: login.ReturnTo}, waitingRequest{by: InitiatorClick, restarted: true})
	default:
		v.because(err)
		c.refuse(w, r, v, statusOf(err))
	}
}

// consume is an assertion's way in: out of the form, through Verify, to admit.
// With ReasonRestarted there is a Login too, which says only where to go on.
func (c *Consumer) consume(w http.ResponseWriter, r *http.Request, v *Verdict) (*Login, error) {
	held := c.bodies.hold(c.cfg.ClientAddr(r))
	defer held.release() // the response's copies, too, are gone by then
	form, err := c.readForm(w, r, held)
	if err != nil {
		return nil, err
	}
	waiting := waitingRequests(r)
	want := saml.VerifyOptions{ACS: c.here.URL, Unsolicited: true}
	for _, q := range waiting {
		want.RequestIDs = append(want.RequestIDs, q.id)
	}
	// Unsolicited is always true here, and that is safe: Verify lets through
	// only what carries no InResponseTo at all, everything else must answer one
	// of RequestIDs; and Config.Unsolicited is applied a few lines below,
	// before anything is stored. So a refusal can still say whose it was.
	assertion, err := c.cfg.SP.Verify([]byte(form.response), want)
	if err != nil {
		return nil, asCancelled(err)
	}
	v.proved(assertion)
	if assertion.InResponseTo() != "" {
		return c.admitAnswer(w, r, assertion, form.relayState, waiting)
	}
	switch {
	case c.cfg.Unsolicited == Accept:
		return c.admitUnsolicited(r, assertion, form.relayState)
	case c.cfg.Unsolicited == Restart && !c.goingRound(waiting):
		return &Login{ReturnTo: c.allowed.allow(form.relayState)}, &Error{Reason: ReasonRestarted, Rule: "Config.Unsolicited", Detail: "dropped, and a sign-in of our own started"}
	case c.cfg.Unsolicited == Restart:
		return nil, &Error{Reason: ReasonUnsolicited, Rule: "Config.Unsolicited", Detail: "restarting led back here: does the identity provider answer requests?"}
	}
	return nil, &Error{Reason: ReasonUnsolicited, Rule: "Unsolicited responses (Profiles 4.1.5)", Detail: "Config.Unsolicited is Refuse"}
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
