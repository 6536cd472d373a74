package acs

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// Logout handles the logout messages of identity providers (Profiles 4.4): requests, which end sessions, and the
// answers to ours. Region.Mount mounts it at the paths of saml.Config.Logout and LogoutURL. A request needs no cookie,
// and arrives by HTTP-Redirect, HTTP-POST or SOAP, also in a frame of the identity provider. An answer counts in the
// browser of its request; if another Region made the request, the browser is sent on there with the same message. A
// refused request by SOAP gets a LogoutResponse if its signature verified, and else a SOAP Fault; the others a page.
// The bytes of a request that was refused as a replay are not verified again, and get a Fault. A client of whose
// messages by SOAP 200 were refused within 10 seconds (800 of an IPv6 /48) gets 503 with Retry-After to those, and
// none is read.
func (g *Region) Logout(w http.ResponseWriter, r *http.Request) {
	c := g.consumers[0]
	c.setHeaders(w.Header())
	client := c.cfg.ClientAddr(r)
	held := c.bodies.hold(client)
	defer held.release() // also after a panic; normally it is free when the message is verified
	flow, isResponse := "", false
	var in saml.LogoutMessage
	var req *saml.VerifiedLogoutRequest
	var err error
	soap := bySOAP(r)
	if soap {
		err = c.refusals.allow(client, c.cfg.SP.Now())
	}
	if err == nil {
		in, isResponse, err = c.readLogout(w, r, held)
	}
	switch {
	case err != nil:
	case isResponse:
		flow = FlowSP
		err = g.answered(w, r, c, in, held)
	default:
		flow = FlowIdP
		req, err = g.asked(w, r, c, in, held)
	}
	if err != nil {
		v := c.logoutRefused(w, r, req, err)
		if soap && answerTo(v).status < http.StatusInternalServerError {
			c.refusals.add(client, c.cfg.SP.Now())
		}
		c.observeLogout(r.Context(), flow, v)
	}
}

// readLogout returns the message of a request, and whether it is an answer.
func (c *Consumer) readLogout(w http.ResponseWriter, r *http.Request, held *holding) (saml.LogoutMessage, bool, error) {
	var in saml.LogoutMessage
	if r.Method == http.MethodGet {
		in.Binding, in.Query = saml.HTTPRedirect, r.URL.RawQuery
		param, err := saml.RedirectParameter(in.Query)
		return in, param == "SAMLResponse", err
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return in, false, newError(ReasonMethod, ruleLogout, "").compared("GET or POST", r.Method)
	}
	if _, err := formFields(r.URL.RawQuery); err != nil {
		return in, false, err
	}
	kind := mediaType(r)
	if kind != formType && kind != soapType {
		return in, false, newError(ReasonContentType, ruleLogout, "").
			compared(formType+" or "+soapType, r.Header.Get("Content-Type"))
	}
	body, err := c.readBody(w, r, held)
	if err != nil {
		return in, false, err
	}
	if kind == soapType {
		in.Binding, in.Message = saml.SOAP, []byte(body)
		return in, false, nil
	}
	fields, err := formFields(body, "SAMLRequest", "SAMLResponse", "RelayState")
	if err != nil {
		return in, false, err
	}
	request, isRequest := fields["SAMLRequest"]
	response, isResponse := fields["SAMLResponse"]
	if isRequest == isResponse {
		return in, false, badForm("exactly one of SAMLRequest and SAMLResponse is needed")
	}
	in.Binding, in.RelayState = saml.HTTPPost, fields["RelayState"]
	in.Message = []byte(request + response)
	return in, isResponse, nil
}

// asked handles a LogoutRequest. With an error it returns the request if that verified.
func (g *Region) asked(
	w http.ResponseWriter, r *http.Request, c *Consumer, in saml.LogoutMessage, held *holding,
) (*saml.VerifiedLogoutRequest, error) {
	if c.cfg.EndSessions == nil {
		return nil, badConfig("Config.EndSessions", "is required for logout")
	}
	if err := c.refusals.check(in); err != nil {
		return nil, err
	}
	req, err := c.cfg.SP.VerifyLogoutRequest(in)
	if err != nil {
		return nil, err
	}
	held.release()
	status, err := c.endOnce(r, req)
	if err != nil {
		var ours *Error
		if errors.As(err, &ours) && ours.Reason == ReasonReplay {
			c.refusals.remember(in)
		}
		return req, err
	}
	v := c.logoutVerdict(req.IdP(), req.NameID().Value)
	c.log(r.Context(), "saml logout by the identity provider", v)
	if status != saml.LogoutSuccess {
		v.Accepted, v.Reason = false, string(ReasonEndSessions)
	}
	c.observeLogout(r.Context(), FlowIdP, v)
	if err := c.answer(w, r, req, status); err != nil {
		c.notAnswered(w, r, status, err)
	}
	return req, nil
}

// answer answers a LogoutRequest. The sessions have ended.
func (c *Consumer) answer(
	w http.ResponseWriter, r *http.Request, req *saml.VerifiedLogoutRequest, status saml.LogoutStatus,
) error {
	answer, err := c.cfg.SP.NewLogoutResponse(req, status)
	if err != nil {
		return err
	}
	if answer.Binding() == saml.SOAP {
		envelope, err := answer.Envelope()
		if err != nil {
			return err
		}
		writeEnvelope(w, http.StatusOK, envelope)
		return nil
	}
	send, err := logoutSender(c.cfg.look(r), answer, req.RelayState(), req.Origins())
	if err != nil {
		return err
	}
	send(w)
	return nil
}

// answered handles a LogoutResponse.
func (g *Region) answered(
	w http.ResponseWriter, r *http.Request, c *Consumer, in saml.LogoutMessage, held *holding,
) error {
	res, err := c.cfg.SP.VerifyLogoutResponse(in)
	if err != nil {
		return err
	}
	held.release()
	if to := res.Endpoint(); !g.isOwn(to) || g.onOtherHost(r, to) {
		return g.forward(w, r, to, in)
	}
	record, err := c.takeLogout(w, r, res.InResponseTo())
	if err != nil {
		return err
	}
	if err := res.CheckRequest(record.Request); err != nil {
		return err
	}
	given := res.RelayState()
	if given != "" && subtle.ConstantTimeCompare([]byte(record.RelayState), []byte(given)) != 1 {
		return newError(ReasonRelayState, "RelayState (Bindings 3.5.3)", "differs from the RelayState of the request")
	}
	result := c.logoutResult(r, res)
	result.ReturnTo = c.allowed.allow(record.ReturnTo)
	c.loggedOut(w, r, result)
	return nil
}

// logoutResult logs and returns the result of a logout that StartLogout began.
func (c *Consumer) logoutResult(r *http.Request, res *saml.VerifiedLogoutResponse) *LoggedOut {
	v := c.logoutVerdict(res.IdP(), "")
	if !res.Success() {
		v.Detail = storeerr.Printable(strings.Join(res.Status(), " "))
	}
	c.log(r.Context(), "saml logout answered", v)
	if !res.Success() {
		v.Accepted, v.Reason = false, string(saml.ReasonStatus)
	}
	c.observeLogout(r.Context(), FlowSP, v)
	return &LoggedOut{IdP: res.IdP(), Success: res.Success(), Partial: res.Partial(), Status: res.Status()}
}

// onOtherHost reports whether an answer to a request of this Region arrived at the host of the URL in our metadata,
// and the request's cookie is at another host of this Region.
func (g *Region) onOtherHost(r *http.Request, to saml.LogoutEndpoint) bool {
	return arrivedAt(r, g.sp.PublishedLogoutURL()) && !hasHost(to.URL, r.Host)
}

// forward sends the browser on to the URL for which the request was made, with the same message. The URL is one of our
// own list, and the signature has verified. Only a message at the URL in our metadata is forwarded, so there is one
// hop: the other URL is not that one. A proxy must pass the Host header on.
func (g *Region) forward(w http.ResponseWriter, r *http.Request, to saml.LogoutEndpoint, in saml.LogoutMessage) error {
	if in.Binding == saml.SOAP || !arrivedAt(r, g.sp.PublishedLogoutURL()) || to.URL == g.sp.PublishedLogoutURL() {
		return newError(Reason(saml.ReasonWrongRegion), ruleLogout,
			"the answer belongs to another Region, and only one that arrives at the URL in our metadata is sent on there").
			compared(g.consumers[0].here.Region, to.Region)
	}
	location, status := to.URL, http.StatusTemporaryRedirect
	if in.Binding == saml.HTTPRedirect {
		separator := "?"
		if strings.Contains(location, "?") {
			separator = "&"
		}
		location, status = location+separator+in.Query, http.StatusSeeOther
	}
	w.Header().Set("Location", location)
	w.WriteHeader(status)
	return nil
}

// arrivedAt reports whether a request was sent to a URL.
func arrivedAt(r *http.Request, raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && hasHost(raw, r.Host) && r.URL.EscapedPath() == u.EscapedPath()
}

func hasHost(raw, host string) bool {
	u, err := url.Parse(raw)
	return err == nil && canonicalHost(u.Scheme, host) == canonicalHost(u.Scheme, u.Host)
}

func (c *Consumer) logoutVerdict(idp, nameID string) Verdict {
	v := c.newVerdict()
	v.Accepted, v.IdP, v.NameID = true, storeerr.Printable(idp), storeerr.Printable(nameID)
	return v
}
