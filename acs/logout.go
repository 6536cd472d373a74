package acs

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// LogoutOptions describes a logout that a user asked for.
type LogoutOptions struct {
	// IdP is the entity ID of the identity provider of the session. Required if there are several.
	IdP string
	// NameID is that of the assertion, with all its attributes. Required.
	NameID saml.NameID
	// SessionIndexes are those of the assertion. Empty: all sessions of the user at the identity provider.
	SessionIndexes []string
	// Binding is saml.HTTPRedirect, saml.HTTPPost or saml.SOAP. Empty: the first of them that the identity provider
	// offers. By SOAP the browser waits for the answer here, for at most Config.SOAP.Timeout. An identity provider can
	// then end its sessions at other service providers only if it reaches these without the browser.
	Binding string
	// ReturnTo is the value for [LoggedOut].ReturnTo, with the rules of [LoginOptions].ReturnTo.
	ReturnTo string
}

// LoggedOut is the result of a logout at the identity provider. The session here has ended in any case.
type LoggedOut struct {
	// IdP is the entity ID of the identity provider.
	IdP string
	// Success reports that the identity provider ended its session, and the sessions at other service providers that
	// it knows of.
	Success bool
	// Partial reports that sessions at other service providers may live on (PartialLogout, SAML Core 3.7.3.2). Tell the
	// user.
	Partial bool
	// Status lists the status codes of the answer, the outermost first. Empty: there is none.
	Status []string
	// Err is why the identity provider was not asked, or why its answer by SOAP was not accepted, or nil.
	Err error
	// ReturnTo is where to redirect the user. It is validated. Empty: nowhere.
	ReturnTo string
}

const ruleLogout = "Single logout (Profiles 4.4)"

// CheckSignOut returns an error unless r may sign the user out: it must be a POST of this origin, because another site
// must not sign the user out, and by a form in a window of its own ([CheckNavigation]). Call it before you end a
// session. The Reason is Method, CrossSite or Navigation.
func CheckSignOut(r *http.Request) error {
	if r.Method != http.MethodPost {
		return newError(ReasonMethod, ruleLogout, "").compared(http.MethodPost, r.Method)
	}
	if err := new(http.CrossOriginProtection).Check(r); err != nil {
		return newError(ReasonCrossSite, ruleLogout, err.Error())
	}
	return CheckNavigation(r) // in a frame, the identity provider doesn't see its cookies (SDP-SP27)
}

// StartLogout sends the browser to the identity provider with a LogoutRequest, which with the binding SOAP it sends
// itself. Before it, call [CheckSignOut], end the
// session of this service in all Regions, whatever happens here, and clear its cookie (SDP-SP34). StartLogout refuses
// what CheckSignOut refuses, but then the session has ended already. Call it at the host of a logout URL of this
// Region: the answer arrives there, and the cookie of the request must be there, too. Don't call it when a session
// ends by idleness (SDP-SP35).
//
//	if acs.CheckSignOut(r) == nil {
//		end(w, r) // the session and its cookie
//	}
//	region.StartLogout(w, r, options) // which writes the refusal, too
//
// The end of the logout is Config.OnLoggedOut, in this Region. If the identity provider can't be asked, or its answer
// by SOAP is refused, StartLogout calls it with Err.
func (g *Region) StartLogout(w http.ResponseWriter, r *http.Request, o LogoutOptions) {
	c := g.consumerFor(r)
	c.setHeaders(w.Header())
	if err := CheckSignOut(r); err != nil {
		status := http.StatusForbidden
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			status = http.StatusMethodNotAllowed
		}
		c.page(w, r, answer{status: status, text: textCrossSite}, c.logoutNotStarted(r, o, err).Reference)
		return
	}
	if err := g.startLogout(w, r, c, o); err != nil {
		c.logoutNotStarted(r, o, err)
		c.loggedOut(w, r, &LoggedOut{IdP: o.IdP, Err: err, ReturnTo: c.allowed.allow(o.ReturnTo)})
	}
}

func (c *Consumer) logoutNotStarted(r *http.Request, o LogoutOptions, err error) Verdict {
	v := c.logLogoutError(r, "saml logout failed", err)
	v.IdP = storeerr.Printable(o.IdP)
	c.tellRefused(r.Context(), RefusedLogout, v)
	c.observeLogout(r.Context(), FlowSP, v)
	return v
}

func (g *Region) startLogout(w http.ResponseWriter, r *http.Request, c *Consumer, o LogoutOptions) error {
	own, ok := g.logoutEndpoint(r)
	if !ok {
		return newError(ReasonConfig, ruleLogout, "the service provider has no logout URL in Region "+c.here.Region)
	}
	req, err := c.cfg.SP.NewLogoutRequest(saml.LogoutOptions{
		IdP: o.IdP, NameID: o.NameID, SessionIndexes: o.SessionIndexes, URL: own.URL, Binding: o.Binding,
		Reason: saml.LogoutReasonUser,
	})
	if err != nil {
		return err
	}
	if req.Binding() == saml.SOAP {
		result, err := c.logoutBySOAP(r, req)
		if err != nil {
			return err
		}
		result.ReturnTo = c.allowed.allow(o.ReturnTo)
		c.loggedOut(w, r, result)
		return nil
	}
	return c.logoutByBrowser(w, r, req, o)
}

// logoutByBrowser sends the browser to the identity provider, and stores what binds the answer to it.
func (c *Consumer) logoutByBrowser(
	w http.ResponseWriter, r *http.Request, req *saml.LogoutRequest, o LogoutOptions,
) error {
	secret, err := c.random(secretBytes)
	if err != nil {
		return err
	}
	relayState, err := c.random(relayBytes)
	if err != nil {
		return err
	}
	send, err := logoutSender(c.cfg.look(r), req, relayState, nil)
	if err != nil {
		return err
	}
	record, err := json.Marshal(logoutRecord{
		Request: req.Record(), ReturnTo: c.allowed.allow(o.ReturnTo), RelayState: relayState,
	})
	if err != nil {
		return &Error{Reason: ReasonConfig, Rule: "LogoutOptions", Detail: "can't be encoded", Err: err}
	}
	addr, at := c.cfg.ClientAddr(r), req.Record().At // with which takeLogout removes it from the count
	if !c.clients.begin(addr, InitiatorUser, at) {
		return newError(ReasonTooMany, "requests of one client address (Config.ClientAddr)",
			"the pending requests of this address use up its part of the quota").compared("", addr)
	}
	key := logoutKey(req.ID(), secret)
	if err := c.cfg.Store.Add(r.Context(), key, record, at.Add(c.cfg.RequestLifetime)); err != nil {
		c.clients.end(addr, at)
		return storeError("record the logout", err)
	}
	dropOldLogouts(w, r)
	setLogoutCookie(w, req.ID(), secret, int(c.cfg.RequestLifetime/time.Second))
	send(w)
	return nil
}

// logoutEndpoint returns this Region's logout URL: that with the host of r, or else the first.
func (g *Region) logoutEndpoint(r *http.Request) (saml.LogoutEndpoint, bool) {
	all := slices.DeleteFunc(g.sp.Logout(), func(e saml.LogoutEndpoint) bool { return !g.isOwn(e) })
	if len(all) == 0 {
		return saml.LogoutEndpoint{}, false
	}
	if i := slices.IndexFunc(all, func(e saml.LogoutEndpoint) bool { return hasHost(e.URL, r.Host) }); i >= 0 {
		return all[i], true
	}
	return all[0], true
}

// isOwn reports whether a logout URL is this Region's.
func (g *Region) isOwn(e saml.LogoutEndpoint) bool { return e.Region == g.consumers[0].here.Region }

// logoutSender encodes a message to be sent through the browser.
func logoutSender(
	look PageLook, m logoutOutbound, relayState string, ancestors []string,
) (func(http.ResponseWriter), error) {
	if m.Binding() == saml.HTTPPost {
		form, err := m.PostForm(relayState)
		if err != nil {
			return nil, err
		}
		return func(w http.ResponseWriter) { look.writePostForm(w, form, textSigningOut, ancestors...) }, nil
	}
	to, err := m.RedirectURL(relayState)
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusSeeOther)
	}, nil
}

// logoutOutbound is a logout message of ours.
type logoutOutbound interface {
	Binding() string
	PostForm(relayState string) (saml.PostForm, error)
	RedirectURL(relayState string) (string, error)
	Envelope() ([]byte, error)
}
