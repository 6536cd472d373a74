package acs

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// LoginOptions describes a sign-in. The zero value asks the identity provider for as little as possible.
type LoginOptions struct {
	// ReturnTo is the value for [Login].ReturnTo: a path of this origin, or a URL of one of RelayStateOrigins. It
	// has at most 2,048 bytes of ASCII and no spaces. An invalid value is ignored.
	ReturnTo string
	// IdP is the entity ID of the identity provider. Empty: Config.ChooseIdP, Config.DiscoveryURL, or the only one of
	// the service provider. For an unknown one, the user gets an error page. Don't take it from a part of the request
	// that another site's link can choose: see Config.ChooseIdP.
	IdP string
	// Binding is saml.HTTPRedirect or saml.HTTPPost. Empty: HTTP-Redirect where the identity provider offers it.
	Binding string
	// ResponseBinding is saml.HTTPPost, or saml.HTTPArtifact where the ACS URL has an ArtifactIndex. Empty: HTTP-POST.
	ResponseBinding string
	// ForceAuthn, IsPassive, AuthnContext and NameIDPolicy are as in [saml.RequestOptions], as the following fields
	// are. Don't set them from a client's input, except Query: see [Hints].
	ForceAuthn, IsPassive bool
	AuthnContext          *saml.RequestedAuthnContext
	NameIDPolicy          *saml.NameIDPolicy
	// Subject is the user who must sign in, such as Assertion.NameID of the session's sign-in, to authenticate them
	// again before an important step. An answer about another user is refused.
	Subject *saml.NameID

	ProviderName                   string
	AttributeConsumingServiceIndex uint16
	Scoping                        *saml.Scoping
	Extensions                     []string
	Query                          url.Values
}

// request returns the options of the request to an identity provider.
func (o LoginOptions) request(acs, idp string) saml.RequestOptions {
	return saml.RequestOptions{
		ACS: acs, IdP: idp, Binding: o.Binding, ResponseBinding: o.ResponseBinding,
		ForceAuthn: o.ForceAuthn, IsPassive: o.IsPassive,
		AuthnContext: o.AuthnContext, NameIDPolicy: o.NameIDPolicy, Subject: o.Subject, ProviderName: o.ProviderName,
		AttributeConsumingServiceIndex: o.AttributeConsumingServiceIndex, Scoping: o.Scoping, Extensions: o.Extensions,
		Query: o.Query,
	}
}

const maxRecord = 64 << 10 // see Store

// requestRecord is the store's part of a pending request.
type requestRecord struct {
	Request    saml.RequestRecord `json:"asked"`
	ReturnTo   string             `json:"return_to,omitempty"`
	RelayState string             `json:"relay_state"`
	// Since is the Since of the Rememberer when the request was made.
	Since time.Time `json:"since,omitzero"`
}

// StartLogin sends the browser to the identity provider with an AuthnRequest for this consumer's URL, or writes an
// error page. If [CheckNavigation] refuses r, or a limit would be exceeded (see Config.ClientAddr), nothing is
// stored and no cookie changes.
func (c *Consumer) StartLogin(w http.ResponseWriter, r *http.Request, o LoginOptions) {
	c.startLogin(w, r, o, pendingRequest{by: InitiatorOf(r)})
}

func (c *Consumer) startLogin(w http.ResponseWriter, r *http.Request, o LoginOptions, q pendingRequest) {
	c.setHeaders(w.Header())
	if err := c.admitStart(w, r, o, q); err != nil {
		c.notStarted(w, r, err)
	}
}

// admitStart checks the limits for unauthenticated clients and then calls start. For a request that exceeds a
// limit, nothing is computed or stored.
func (c *Consumer) admitStart(w http.ResponseWriter, r *http.Request, o LoginOptions, q pendingRequest) error {
	if err := CheckNavigation(r); err != nil {
		return err
	}
	pending := slices.DeleteFunc(pendingRequests(r), func(p pendingRequest) bool { return p.id == q.after })
	gone, err := makeRoom(pending, q.by)
	if err != nil {
		return err
	}
	addr, now := c.cfg.ClientAddr(r), c.cfg.SP.Now()
	if !c.clients.begin(addr, InitiatorOf(r), now) { // not q.by, because a page can cause a Restart
		return newError(ReasonTooMany, "requests of one client address (Config.ClientAddr)",
			"the pending requests of this address use up its part of the quota").compared("", addr)
	}
	if err := c.start(w, r, o, q, gone); err != nil {
		c.clients.end(addr, now)
		return err
	}
	return nil
}

// start writes an HTTP response only if it returns no error. q has the initiator of the request.
func (c *Consumer) start(
	w http.ResponseWriter, r *http.Request, o LoginOptions, q pendingRequest, gone []pendingRequest,
) error {
	idp, err := c.chooseIdP(r, o)
	if err != nil {
		return err
	}
	if idp == "" && c.cfg.DiscoveryURL != "" {
		return c.startDiscovery(w, r, o, q, gone)
	}
	req, err := c.cfg.SP.NewAuthnRequest(o.request(c.here.URL, idp))
	if err != nil {
		return err
	}
	if q.secret, err = c.random(secretBytes); err != nil {
		return err
	}
	request := req.Record()
	q.id, q.at = request.ID, request.At.Unix()
	relayState := q.relayState()
	send, err := c.sender(req, relayState)
	if err != nil {
		return err
	}
	record, err := json.Marshal(requestRecord{
		Request: request, ReturnTo: c.allowed.allow(o.ReturnTo), RelayState: relayState, Since: c.since(),
	})
	if err != nil {
		return &Error{Reason: ReasonConfig, Rule: "LoginOptions", Detail: "can't be encoded", Err: err}
	}
	if err := c.keep(w, r, q, gone, record, request.At); err != nil {
		return err
	}
	send(w, r)
	return nil
}

// keep stores the record of a pending request, and sets its cookie instead of those of the requests in gone.
func (c *Consumer) keep(
	w http.ResponseWriter, r *http.Request, q pendingRequest, gone []pendingRequest, record []byte, at time.Time,
) error {
	if len(record) > maxRecord {
		return newError(ReasonConfig, "LoginOptions", "too long to be stored").
			compared("at most "+strconv.Itoa(maxRecord)+" bytes", strconv.Itoa(len(record)))
	}
	err := c.cfg.Store.Add(r.Context(), requestKey(q.id, q.secret), record, at.Add(c.cfg.RequestLifetime))
	if err != nil {
		return storeError("record the request", err)
	}
	for _, old := range gone {
		deleteCookie(w, old.id)
	}
	setCookie(w, q.id, q.encode(), int(c.cfg.RequestLifetime/time.Second))
	return nil
}

// sender encodes the request, so that an encoding error occurs before anything is stored.
func (c *Consumer) sender(req *saml.AuthnRequest, relayState string) (http.HandlerFunc, error) {
	if req.Binding() == saml.HTTPPost {
		form, err := req.PostForm(relayState)
		if err != nil {
			return nil, err
		}
		return func(w http.ResponseWriter, r *http.Request) { c.cfg.look(r).writePostForm(w, form, textSigningIn) }, nil
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

// notStarted reports the error and answers a request that can't start a sign-in.
func (c *Consumer) notStarted(w http.ResponseWriter, r *http.Request, err error) {
	v := c.newVerdict()
	v.Flow = FlowSP
	v.setError(err)
	c.log(r.Context(), "saml sign-in not started", v)
	c.tellRefused(r.Context(), RefusedLogin, v)
	a, ok := answers[v.Reason]
	if !ok {
		a = answer{status: http.StatusInternalServerError, text: textNotStarted}
	}
	if errors.Is(err, ErrFull) {
		a.retryAfter = retryFull
	}
	c.page(w, r, a, v.Reference)
}
