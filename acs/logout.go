package acs

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

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
	// Binding is saml.HTTPRedirect or saml.HTTPPost. Empty: HTTP-Redirect where the identity provider offers it.
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
	// Status lists the status codes of the answer, the outermost first. Empty: the request was not sent.
	Status []string
	// Err is why the identity provider was not asked, or nil.
	Err error
	// ReturnTo is where to redirect the user. It is validated. Empty: nowhere.
	ReturnTo string
}

const (
	ruleLogout = "Single logout (Profiles 4.4)"

	// logoutCookie begins the name of the cookie of a pending logout; the request's ID follows.
	logoutCookie      = "__Host-meridian-logout-"
	maxPendingLogouts = 4
)

// logoutRecord is the store's part of a pending logout.
type logoutRecord struct {
	Request    saml.LogoutRecord `json:"asked"`
	ReturnTo   string            `json:"return_to,omitempty"`
	RelayState string            `json:"relay_state"`
}

func logoutKey(id, secret string) string { return KeyPrefixRequest + hashed("logout", id, secret) }

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

// StartLogout sends the browser to the identity provider with a LogoutRequest. Before it, call [CheckSignOut], end the
// session of this service in all Regions, whatever happens here, and clear its cookie (SDP-SP34). StartLogout refuses
// what CheckSignOut refuses, but then the session has ended already. Don't call it when a session ends by idleness
// (SDP-SP35).
//
//	if acs.CheckSignOut(r) == nil {
//		end(w, r) // the session and its cookie
//	}
//	region.StartLogout(w, r, options) // which writes the refusal, too
//
// The end of the logout is Config.OnLoggedOut, in this Region. If the identity provider can't be asked, StartLogout
// calls it with Err.
func (g *Region) StartLogout(w http.ResponseWriter, r *http.Request, o LogoutOptions) {
	c := g.consumerFor(r)
	c.setHeaders(w.Header())
	if err := CheckSignOut(r); err != nil {
		status := http.StatusForbidden
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			status = http.StatusMethodNotAllowed
		}
		c.page(w, answer{status: status, text: textCrossSite}, c.logLogoutError(r, "saml logout not started", err).Reference)
		return
	}
	if err := g.startLogout(w, r, c, o); err != nil {
		c.logLogoutError(r, "saml logout not started", err)
		c.loggedOut(w, r, &LoggedOut{IdP: o.IdP, Err: err, ReturnTo: c.allowed.allow(o.ReturnTo)})
	}
}

func (g *Region) startLogout(w http.ResponseWriter, r *http.Request, c *Consumer, o LogoutOptions) error {
	own, ok := g.logoutEndpoint(r)
	if !ok {
		return newError(ReasonConfig, ruleLogout, "the service provider has no logout URL in Region "+c.here.Region)
	}
	binding, err := o.binding(c.cfg.SP)
	if err != nil {
		return err
	}
	req, err := c.cfg.SP.NewLogoutRequest(saml.LogoutOptions{
		IdP: o.IdP, NameID: o.NameID, SessionIndexes: o.SessionIndexes, URL: own.URL, Binding: binding,
		Reason: saml.LogoutReasonUser,
	})
	if err != nil {
		return err
	}
	secret, err := c.random(secretBytes)
	if err != nil {
		return err
	}
	relayState, err := c.random(relayBytes)
	if err != nil {
		return err
	}
	send, err := logoutSender(req, relayState, nil)
	if err != nil {
		return err
	}
	record, err := json.Marshal(logoutRecord{
		Request: req.Record(), ReturnTo: c.allowed.allow(o.ReturnTo), RelayState: relayState,
	})
	if err != nil {
		return &Error{Reason: ReasonConfig, Rule: "LogoutOptions", Detail: "can't be encoded", Err: err}
	}
	addr, now := c.cfg.ClientAddr(r), c.cfg.SP.Now()
	if !c.clients.begin(addr, InitiatorUser, now) {
		return newError(ReasonTooMany, "requests of one client address (Config.ClientAddr)",
			"the pending requests of this address use up its part of the quota").compared("", addr)
	}
	key := logoutKey(req.ID(), secret)
	if err := c.cfg.Store.Add(r.Context(), key, record, now.Add(c.cfg.RequestLifetime)); err != nil {
		c.clients.end(addr, now)
		return storeError("record the logout", err)
	}
	dropOldLogouts(w, r)
	setLogoutCookie(w, req.ID(), secret, int(c.cfg.RequestLifetime/time.Second))
	send(w)
	return nil
}

// binding returns a binding through the browser.
func (o LogoutOptions) binding(sp *saml.ServiceProvider) (string, error) {
	if o.Binding == "" || o.Binding == saml.HTTPRedirect || o.Binding == saml.HTTPPost {
		return o.Binding, nil
	}
	return "", badValue("LogoutOptions.Binding", "HTTP-Redirect or HTTP-POST", o.Binding)
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
func logoutSender(m logoutOutbound, relayState string, ancestors []string) (func(http.ResponseWriter), error) {
	if m.Binding() == saml.HTTPPost {
		form, err := m.PostForm(relayState)
		if err != nil {
			return nil, err
		}
		return func(w http.ResponseWriter) { writePostForm(w, form, textSigningOut, ancestors...) }, nil
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

// setLogoutCookie sets SameSite=None, because an answer by HTTP-POST comes from the identity provider's site.
func setLogoutCookie(w http.ResponseWriter, id, secret string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: logoutCookie + id, Value: secret, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
}

// dropOldLogouts removes the cookies of earlier logouts if there are too many. Their sessions have ended.
func dropOldLogouts(w http.ResponseWriter, r *http.Request) {
	var ids []string
	for _, cookie := range r.Cookies() {
		if id, ok := strings.CutPrefix(cookie.Name, logoutCookie); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) < maxPendingLogouts {
		return
	}
	for _, id := range ids[:min(len(ids), maxCookies)] {
		setLogoutCookie(w, id, "", -1)
	}
}

// takeLogout takes the record of this browser's logout from the store.
func (c *Consumer) takeLogout(w http.ResponseWriter, r *http.Request, id string) (*logoutRecord, error) {
	unknown := func(detail string) error { return newError(ReasonRequest, "InResponseTo (Profiles 4.4.4.2)", detail) }
	cookie, err := r.Cookie(logoutCookie + id)
	if err != nil {
		return nil, unknown("this browser has no such logout pending")
	}
	raw, err := c.cfg.Store.Take(r.Context(), logoutKey(id, cookie.Value))
	switch {
	case errors.Is(err, ErrNotFound):
		setLogoutCookie(w, id, "", -1)
		return nil, unknown("the logout was answered before, has expired, or is another browser's")
	case err != nil:
		return nil, storeError("take the logout", err)
	}
	setLogoutCookie(w, id, "", -1)
	record := new(logoutRecord)
	if err := json.Unmarshal(raw, record); err != nil {
		return nil, storeError("decode the record of a logout", errors.New("invalid JSON"))
	}
	c.clients.end(c.cfg.ClientAddr(r), record.Request.At)
	// A store that rounds lifetimes up can still have it.
	if c.cfg.SP.Now().Sub(record.Request.At) > c.cfg.RequestLifetime {
		return nil, unknown("the logout has expired")
	}
	return record, nil
}
