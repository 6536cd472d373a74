package mockidp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const pathRegister = "/mockidp/register"

// registration is the form on the page that refuses a request of an unknown service provider.
type registration struct {
	Pending     string // key of the sign-in that goes on afterwards
	Label       string // of the app
	Issuer, ACS string // of the request; both are needed to register it without metadata
	Replaces    string // the service provider that the app has
	Metadata    string // what was typed and not accepted
}

// registrable are the refusals that another service provider of the app would settle.
var registrable = []Reason{ReasonIssuer, ReasonNoACS, ReasonUnlistedURL, ReasonUnlistedIndex}

// offer returns the form for a request that was refused, or nil. It keeps the request, for the sign-in to go on.
func (s *Server) offer(app *App, p pending, err *Error) *registration {
	if !s.config.SelfRegistration || !slices.Contains(registrable, err.Reason) || p.req == nil || app == nil ||
		app.Profile != Okta || app.SignedRequests || s.config.Strict || p.target != nil {
		return nil
	}
	p.unregistered = true
	key, failed := s.storePending(p, "")
	if failed != nil {
		return nil
	}
	out := &registration{Pending: key, Label: app.Label, Replaces: app.Audience}
	if p.req.ACSURL != nil && p.req.Issuer != "" && checkWebURL("", *p.req.ACSURL) == nil {
		out.Issuer, out.ACS = p.req.Issuer, *p.req.ACSURL
	}
	if out.Replaces == p.req.Issuer {
		out.Replaces = ""
	}
	return out
}

// handleRegister makes the app of a refused request that of its service provider, by the metadata in the form or else
// as the request says, and goes on with the sign-in. It makes no other app, fetches nothing and takes no LogoutSOAPURL,
// so a client can neither fill the Server nor make it send requests.
func (s *Server) handleRegister(w http.ResponseWriter, r *http.Request, form url.Values) *Error {
	if !s.config.SelfRegistration {
		return errorf(ReasonNoSuchApp, "no page has this address")
	}
	key := form.Get("pending")
	p, err := s.storedPending(key)
	if err == nil && !p.unregistered {
		err = errorf(ReasonRequestNotFound, "this sign-in was not refused")
	}
	if err != nil {
		return err
	}
	metadata := strings.TrimSpace(form.Get("metadata"))
	if err := s.register(p, metadata); err != nil {
		return s.refusedAgain(p, err, metadata)
	}
	app, err := s.state.Load().samlApp(p.appID)
	if err == nil {
		err = s.checkFor(app, p.req)
	}
	if err != nil {
		return s.refusedAgain(p, err, metadata)
	}
	s.config.Logger.Info("mockidp: registered a service provider", "app", app.ID, "audience", app.Audience)
	s.pending.update(key, func(p *pending) { p.unregistered = false })
	s.redirect(w, r, pathContinue+"?pending="+url.QueryEscape(key))
	return nil
}

// refusedAgain returns the error of a form, with the form again as it was filled in.
func (s *Server) refusedAgain(p pending, err error, metadata string) *Error {
	e, ok := err.(*Error)
	if !ok {
		e = internal("registering a service provider", err)
	}
	out := *e
	if app, missing := s.state.Load().samlApp(p.appID); missing == nil {
		again := *e
		again.Reason = ReasonIssuer
		if out.offer = s.offer(app, p, &again); out.offer != nil {
			out.offer.Metadata = metadata
		}
	}
	return &out
}

func (s *Server) register(p pending, metadata string) error {
	if metadata != "" {
		return s.registerSP(p.appID, []byte(metadata), func(sp *spSettings) { sp.LogoutSOAPURL = "" })
	}
	req := p.req
	if req.ACSURL == nil || req.Issuer == "" {
		return badMetadata("is needed, because the request has no AssertionConsumerServiceURL or no Issuer", nil)
	}
	return s.UpdateApp(p.appID, func(a *App) error {
		list := []ACS{{URL: *req.ACSURL}}
		if a.Audience == req.Issuer { // another URL of the same service provider
			list = append(slices.Clone(a.ACS), ACS{URL: *req.ACSURL})
			for i := range list {
				list[i].Index = nil
			}
		}
		a.Audience = req.Issuer
		if a.IdentityCenter != nil {
			a.IdentityCenter.IssuerURL = req.Issuer
		}
		if f := req.NameIDFormat; f != nil && *f != NameIDUnspecified {
			a.NameIDFormat = *f
		}
		return a.setACS(list)
	})
}
