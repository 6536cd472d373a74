package acs

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// LoginOptions says what a sign-in asks for. The zero value asks for as little
// as possible.
type LoginOptions struct {
	// ReturnTo is where the person wants to go, to be found in [Login] again. A
	// path of ours or a URL of one of RelayStateOrigins; anything else is left
	// out. At most 2048 bytes, written as in an address: no blanks, no bytes
	// beyond ASCII.
	ReturnTo string
	// Binding is saml.HTTPRedirect or saml.HTTPPost. Empty: HTTP-Redirect
	// where the identity provider offers it.
	Binding string
	// ForceAuthn, IsPassive, AuthnContext and NameIDPolicy are as in
	// [saml.RequestOptions]. Give them from your program, not from a stranger.
	ForceAuthn, IsPassive bool
	AuthnContext          *saml.RequestedAuthnContext
	NameIDPolicy          *saml.NameIDPolicy
}

// requestRecord is the store's half of a request that waits for its answer.
type requestRecord struct {
	Request    saml.RequestRecord `json:"asked"`
	ReturnTo   string             `json:"return_to,omitempty"`
	RelayState string             `json:"relay_state"`
	// Since is what a Rememberer said when the request was made.
	Since time.Time `json:"since,omitzero"`
}

// StartLogin sends the browser to the identity provider with an AuthnRequest
// for this consumer's URL. The answer, or an error page, is written. What
// [CheckNavigation] refuses is refused, and so is what would exceed a bound
// (see Config.ClientAddr); then nothing is stored and no cookie changes.
func (c *Consumer) StartLogin(w http.ResponseWriter, r *http.Request, o LoginOptions) {
	c.startLogin(w, r, o, waitingRequest{by: InitiatorOf(r)})
}

func (c *Consumer) startLogin(w http.ResponseWriter, r *http.Request, o LoginOptions, q waitingRequest) {
	c.secure(w.Header())
	if err := c.admitStart(w, r, o, q); err != nil {
		c.notStarted(w, r, err)
	}
}

// admitStart is start within the bounds for unauthenticated clients. They come
// first: nothing costly is done, and nothing stored, for what exceeds one.
func (c *Consumer) admitStart(w http.ResponseWriter, r *http.Request, o LoginOptions, q waitingRequest) error {
	if err := CheckNavigation(r); err != nil {
		return err
	}
	gone, err := makeRoom(waitingRequests(r), q.by)
	if err != nil {
		return err
	}
	addr, now := c.cfg.ClientAddr(r), c.cfg.SP.Now()
	if !c.clients.begin(addr, InitiatorOf(r), now) { // of Restart too, which pages cause
		return &Error{Reason: ReasonTooMany, Rule: "requests of one client address (Config.ClientAddr)", Detail: "its part of the quota waits for an answer", Got: addr}
	}
	if err := c.start(w, r, o, q, gone); err != nil {
		c.clients.end(addr, now)
		return err
	}
	return nil
}

// start writes an answer only if it gives no error. Of q it is told who began it.
func (c *Consumer) start(w http.ResponseWriter, r *http.Request, o LoginOptions, q waitingRequest, gone []waitingRequest) error {
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
	// The RelayState is a key that means nothing to anybody else (at most 80
	// bytes, Bindings 3.4.3); what it stands for stays here.
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
		return badConfig("LoginOptions", "can't be stored", err)
	}
	q.id, q.at = request.ID, request.At.Unix()
	err = c.cfg.Store.Add(r.Context(), requestKey(q.id, q.secret), record, request.At.Add(c.cfg.RequestLifetime))
	if err != nil {
		return storeError("record of the request", err)
	}
	c.await(w, q, gone)
	send(w, r)
	return nil
}

// sender makes the request ready to go, so that what can fail fails before
// anything is stored.
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

// notStarted answers when there is no way to the identity provider.
func (c *Consumer) notStarted(w http.ResponseWriter, r *http.Request, err error) {
	v := c.newVerdict()
	v.Flow = FlowSP
	v.because(err)
	c.log(r.Context(), "saml sign-in not started", v)
	var e *saml.Error
	switch {
	case v.Reason == string(ReasonNavigation):
		c.page(w, http.StatusForbidden, textNavigation, v.Reference)
	case v.Reason == string(ReasonTooMany):
		retryAfter(w, retryFull)
		c.page(w, http.StatusTooManyRequests, textTooMany, v.Reference)
	case errors.Is(err, ErrFull):
		retryAfter(w, retryFull)
		c.page(w, http.StatusServiceUnavailable, textUnavailable, v.Reference)
	case v.Reason == string(ReasonStore), errors.As(err, &e) && e.Reason == saml.ReasonMetadata:
		retryAfter(w, retrySoon)
		c.page(w, http.StatusServiceUnavailable, textUnavailable, v.Reference)
	default:
		c.page(w, http.StatusInternalServerError, textNotStarted, v.Reference)
	}
}

const (
	retrySoon = 10 * time.Second
	retryFull = time.Minute
)

func retryAfter(w http.ResponseWriter, d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(d/time.Second)))
}
