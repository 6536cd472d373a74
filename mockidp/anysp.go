package mockidp

import (
	"cmp"
	"maps"
	"net/url"
	"strings"
)

// openApp is the label of the app for all service providers, where the Config has none that is open.
const openApp = "Any service provider"

// open reports whether an app has no service provider: with Config.AnyServiceProvider it is then for all of them.
func (a *App) open() bool {
	return a.Kind == SAML && a.Profile == Okta && a.IdentityCenter == nil && a.Audience == "" && len(a.ACS) == 0
}

// target is the service provider of one sign-in with Config.AnyServiceProvider.
type target struct{ audience, acs, nameIDFormat string }

// in returns the app of a pending sign-in, with the service provider that the sign-in is for.
func (p pending) in(a *App) *App {
	if p.target == nil || a == nil || !a.open() {
		return a
	}
	b := a.clone()
	b.Audience, b.ACS = p.target.audience, []ACS{{URL: p.target.acs, Index: new(uint16(0))}}
	if f := p.target.nameIDFormat; f != "" && f != NameIDUnspecified {
		b.NameIDFormat = f
	}
	return &b
}

// appOf returns the app of a pending sign-in.
func (st *state) appOf(p pending) (*App, *Error) {
	a, err := st.app(p.appID)
	return p.in(a), err
}

// aim sets the service provider of a sign-in at an open app: the request's Issuer and AssertionConsumerServiceURL, or
// without a request the parameters audience and acs.
func (s *Server) aim(app *App, p *pending, in incoming) *Error {
	if !s.config.AnyServiceProvider || !app.open() {
		return nil
	}
	t := target{audience: in.audience, acs: in.acs}
	switch req := p.req; {
	case req != nil && (!req.HasIssuer || req.Issuer == ""):
		return errorf(ReasonIssuer, "the AuthnRequest has no Issuer (SAML Profiles 4.1.4.1), which becomes the audience here")
	case req != nil && req.ACSURL == nil:
		return errorf(ReasonNoACS, "the AuthnRequest has no AssertionConsumerServiceURL, which every service provider must "+
			"send here, because none is registered")
	case req != nil:
		t.audience, t.acs = req.Issuer, *req.ACSURL
		if req.NameIDFormat != nil {
			t.nameIDFormat = *req.NameIDFormat
		}
	case t.audience == "" && t.acs == "":
		return errorf(ReasonNoACS, "this address is for all service providers: the parameters audience and acs of the "+
			"query select one")
	}
	if err := t.check(); err != nil {
		return err
	}
	p.target = &t
	return nil
}

func (t *target) check() *Error {
	if err := checkWebURL("the URL of the answer", t.acs); err != nil {
		err.Reason = ReasonUnlistedURL
		return err
	}
	if len(t.audience) == 0 || len(t.audience) > 1024 { // SAML Core 8.3.6
		return mismatch(ReasonIssuer, "1 to 1024 bytes", itoa(len(t.audience)), "the audience has an invalid length")
	}
	if err := checkText("the audience", t.audience, t.nameIDFormat); err != nil {
		err.Reason = ReasonIssuer
		return err
	}
	return nil
}

// typedTarget returns the service provider that a form or query of composing names. What it leaves empty is as in the
// sign-in. The audience of a request's answer is its Issuer.
func (p pending) typedTarget(v url.Values) *target {
	var t target
	if p.target != nil {
		t = *p.target
	}
	t.acs = cmp.Or(strings.TrimSpace(v.Get("acs")), t.acs)
	if p.req == nil {
		t.audience = cmp.Or(strings.TrimSpace(v.Get("audience")), t.audience)
	}
	return &t
}

// asksWhom returns the address of the page that asks for a service provider, where neither a request nor a parameter
// names one and answers are composed; else "".
func (s *Server) asksWhom(app *App, in incoming) string {
	if !s.config.AnyServiceProvider || !s.config.Compose || app == nil || !app.open() || in.has ||
		in.audience+in.acs != "" || in.compose != nil {
		return ""
	}
	q := url.Values{"app": {app.ID}}
	if in.hasRelay {
		q.Set("relay_state", in.relayState)
	}
	return pathCompose + "?" + q.Encode()
}

// notAimed returns the parameters that compose the answer, without those that aim read; nil if there are no others.
func (p pending) notAimed(v url.Values) url.Values {
	if p.target == nil || p.req != nil || v == nil {
		return v
	}
	rest := maps.Clone(v)
	delete(rest, "audience")
	delete(rest, "acs")
	return composing(rest)
}

// AnyServiceProviderURL returns where a sign-in begins, without a request, for a service provider that isn't registered
// (Config.AnyServiceProvider). relayState may be "". It returns "" if all apps have a service provider.
func (s *Server) AnyServiceProviderURL(audience, acs, relayState string) string {
	for _, a := range s.state.Load().apps {
		if a.open() && s.config.AnyServiceProvider {
			q := url.Values{"audience": {audience}, "acs": {acs}}
			if relayState != "" {
				q.Set("RelayState", relayState)
			}
			return s.ssoURL(a) + "?" + q.Encode()
		}
	}
	return ""
}
