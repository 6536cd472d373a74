package acs

import (
	"encoding/json"
	"errors"
	"net/http"
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
	Asked      saml.Asked `json:"asked"`
	ReturnTo   string     `json:"return_to,omitempty"`
	RelayState string     `json:"relay_state"`
}

// StartLogin sends the browser to the identity provider with an AuthnRequest
// for this consumer's URL. The answer, or an error page, is written.
func (c *Consumer) StartLogin(w http.ResponseWriter, r *http.Request, o LoginOptions) {
	secure(w.Header())
	if err := c.start(w, r, o); err != nil {
		c.notStarted(w, r, err)
	}
}

// start writes an answer only if it gives no error.
func (c *Consumer) start(w http.ResponseWriter, r *http.Request, o LoginOptions) error {
	req, err := c.cfg.SP.NewAuthnRequest(saml.RequestOptions{
		ACS: c.here.URL, Binding: o.Binding, ForceAuthn: o.ForceAuthn, IsPassive: o.IsPassive,
		AuthnContext: o.AuthnContext, NameIDPolicy: o.NameIDPolicy,
	})
	if err != nil {
		return err
	}
	secret, err := c.random(secretBytes)
	if err != nil {
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
	asked := req.Asked()
	record, err := json.Marshal(requestRecord{Asked: asked, ReturnTo: c.allowed.allow(o.ReturnTo), RelayState: relayState})
	if err != nil {
		return badConfig("LoginOptions", "can't be stored", err)
	}
	err = c.cfg.Store.Add(r.Context(), requestKey(asked.ID, secret), record, asked.At.Add(c.cfg.RequestLifetime))
	if err != nil {
		return storeError("record of the request", err)
	}
	c.await(w, r, waitingRequest{id: asked.ID, at: asked.At.Unix(), secret: secret})
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
	case errors.Is(err, ErrFull):
		c.page(w, http.StatusServiceUnavailable, retryFull, v.Reference)
	case v.Reason == string(ReasonStore), errors.As(err, &e) && e.Reason == saml.ReasonMetadata:
		c.page(w, http.StatusServiceUnavailable, retrySoon, v.Reference)
	default:
		c.page(w, http.StatusInternalServerError, 0, v.Reference)
	}
}

const (
	retrySoon = 10 * time.Second
	retryFull = time.Minute
)
