package acs

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// LoginOptions says what a sign-in asks for. The zero value asks for as little as possible.
type LoginOptions struct {
	// ReturnTo is where the user wants to go, for [Login].ReturnTo: a path of this origin or a URL of one of
	// RelayStateOrigins, of at most 2,048 bytes, without blanks or bytes beyond ASCII. Anything else is left out.
	ReturnTo string
	// Binding is saml.HTTPRedirect or saml.HTTPPost. Empty: HTTP-Redirect where the identity provider offers it.
	Binding string
	// ForceAuthn, IsPassive, AuthnContext and NameIDPolicy are as in [saml.RequestOptions]. Don't take
	// them from a client's input.
	ForceAuthn, IsPassive bool
	AuthnContext          *saml.RequestedAuthnContext
	NameIDPolicy          *saml.NameIDPolicy
}

// requestRecord is the store's half of a request that waits for its answer.
type requestRecord struct {
	Request    saml.RequestRecord `json:"asked"`
	ReturnTo   string             `json:"return_to,omitempty"`
	RelayState string             `json:"relay_state"`
	// Since is the Rememberer's when the request was made.
	Since time.Time `json:"since,omitzero"`
}

// StartLogin sends the browser to the identity provider with an AuthnRequest for this consumer's URL, or
// writes an error page. If [CheckNavigation] refuses r, or a bound would be exceeded (see
// Config.ClientAddr), nothing is stored and no cookie changes.
func (c *Consumer) StartLogin(w http.ResponseWriter, r *http.Request, o LoginOptions) {
	c.startLogin(w, r, o, waitingRequest{by: InitiatorOf(r)})
}

func (c *Consumer) startLogin(w http.ResponseWriter, r *http.Request, o LoginOptions, q waitingRequest) {
	c.setHeaders(w.Header())
	if err := c.admitStart(w, r, o, q); err != nil {
		c.notStarted(w, r, err)
	}
}

// admitStart is start within the bounds for unauthenticated clients, which come first: nothing is computed
// or stored for a request that exceeds one.
func (c *Consumer) admitStart(w http.ResponseWriter, r *http.Request, o LoginOptions, q waitingRequest) error {
	if err := CheckNavigation(r); err != nil {
		return err
	}
	gone, err := makeRoom(waitingRequests(r), q.by)
	if err != nil {
		return err
	}
	addr, now := c.cfg.ClientAddr(r), c.cfg.SP.Now()
	if !c.clients.begin(addr, InitiatorOf(r), now) { // not q.by: pages can cause a Restart
		return newError(ReasonTooMany, "requests of one client address (Config.ClientAddr)",
			"its part of the quota waits for an answer").compared("", addr)
	}
	if err := c.start(w, r, o, q, gone); err != nil {
		c.clients.end(addr, now)
		return err
	}
	return nil
}

// start writes an answer only if it returns no error. q says who began the request.
func (c *Consumer) start(
	w http.ResponseWriter, r *http.Request, o LoginOptions, q waitingRequest, gone []waitingRequest,
) error {
	req, err := c.cfg.SP.NewAuthnRequest(saml.RequestOptions{
		ACS: c.here.URL, Binding: o.Binding, ForceAuthn: o.ForceAuthn, IsPassive: o.IsPassive,
		AuthnContext: o.AuthnContext, NameIDPolicy: o.NameIDPolicy,
	})
	if err != nil {
		return err
	}
	if q.secret, err = c.random(secretBytes); err != nil {
		return err
	}
	// The RelayState is an opaque key, of at most 80 bytes (Bindings 3.4.3).
	relayState, err := c.random(relayBytes)
	if err != nil {
		return err
	}
	send, err := sender(req, relayState)
	if err != nil {
		return err
	}
	request := req.Record()
	record, err := json.Marshal(requestRecord{
		Request: request, ReturnTo: c.allowed.allow(o.ReturnTo), RelayState: relayState, Since: c.since(),
	})
	if err != nil {
		return &Error{Reason: ReasonConfig, Rule: "LoginOptions", Detail: "can't be encoded", Err: err}
	}
	q.id, q.at = request.ID, request.At.Unix()
	err = c.cfg.Store.Add(r.Context(), requestKey(q.id, q.secret), record, request.At.Add(c.cfg.RequestLifetime))
	if err != nil {
		return storeError("record the request", err)
	}
	for _, old := range gone {
		deleteCookie(w, old.id)
	}
	setCookie(w, q.id, q.encode(), int(c.cfg.RequestLifetime/time.Second))
	send(w, r)
	return nil
}

// sender encodes the request, so that what can fail fails before anything is stored.
func sender(req *saml.AuthnRequest, relayState string) (http.HandlerFunc, error) {
	if req.Binding() == saml.HTTPPost {
		form, err := req.PostForm(relayState)
		if err != nil {
			return nil, err
		}
		return func(w http.ResponseWriter, _ *http.Request) { writePostForm(w, form) }, nil
	}
	to, err := req.RedirectURL(relayState)
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
	}, nil
}

// notStarted answers a request for a page that can't be made.
func (c *Consumer) notStarted(w http.ResponseWriter, r *http.Request, err error) {
	v := c.newVerdict()
	v.Flow = FlowSP
	v.setError(err)
	c.log(r.Context(), "saml sign-in not started", v)
	a, ok := answers[v.Reason]
	if !ok {
		a = answer{status: http.StatusInternalServerError, text: textNotStarted}
	}
	if errors.Is(err, ErrFull) {
		a.retryAfter = retryFull
	}
	c.page(w, a, v.Reference)
}
