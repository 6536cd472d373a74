package mockidp

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// tenantIssuer matches the issuer of a tenant of Microsoft Entra ID, with the tenant's ID.
var tenantIssuer = regexp.MustCompile(`^https://sts\.windows\.net/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/$`)

// tenant returns the ID of the tenant that an app is in: the one in its Issuer, so that a test can use a real tenant's
// paths, else the Server's.
func (st *state) tenant(a *App) string {
	if m := tenantIssuer.FindStringSubmatch(a.Issuer); m != nil {
		return m[1]
	}
	return tenantID(naming{salt: st.salt, org: st.org})
}

// tenantID returns the ID of the tenant for all apps of a Server.
func tenantID(n naming) string { return derivedGUID("tenant\x00" + n.salt + n.org) }

// derivedGUID returns an ID in the form of Entra's.
func derivedGUID(from string) string {
	b := sha256.Sum256([]byte(from))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// entraApps returns a tenant's apps. The case of a tenant ID doesn't matter.
func (st *state) entraApps(tenant string) []*App {
	var out []*App
	for _, a := range st.apps {
		if a.Kind == SAML && a.Profile == Entra && strings.EqualFold(st.tenant(a), tenant) {
			out = append(out, a)
		}
	}
	return out
}

func (st *state) entraApp(tenant, appID string) (*App, *Error) {
	for _, a := range st.entraApps(tenant) {
		if strings.EqualFold(a.ExternalKey, appID) {
			return a, nil
		}
	}
	return nil, errorf(ReasonNoSuchApp, "no app of this tenant has this ID")
}

// shareIdentifier reports whether two apps of one tenant have the same Audience: the sign-on address couldn't tell which
// one a request is for.
func (st *state) shareIdentifier(a, b *App) bool {
	return a.Kind == SAML && b.Kind == SAML && a.Profile == Entra && b.Profile == Entra &&
		a.Audience == b.Audience && a.Audience != "" && strings.EqualFold(st.tenant(a), st.tenant(b))
}

// readEntra finds the app that a request to a tenant is for, and checks the request. A request for no app is added to
// the messages as well.
func (s *Server) readEntra(st *state, tenant string, in incoming) (*App, pending, *Error) {
	m := Message{Time: s.now(), Direction: Received, Binding: in.binding, RelayState: in.relayState}
	doc, err := in.xml()
	var req *authnRequest
	if err == nil {
		m.XML = doc
		req, err = parseAuthnRequest(doc)
	}
	if err == nil && !req.HasIssuer {
		err = errorf(ReasonIssuer, "the AuthnRequest has no Issuer (SAML Profiles 4.1.4.1), which identifies the application in a tenant")
	} else if err == nil {
		for _, a := range st.entraApps(tenant) {
			if a.Audience == req.Issuer && a.Audience != "" {
				p, err := s.read(a, in)
				return a, p, err
			}
		}
		err = unknownIdentifier(st.entraApps(tenant), tenant, req.Issuer)
	}
	m.Refused = err
	s.messages.add(m)
	return nil, pending{}, err
}

func unknownIdentifier(apps []*App, tenant, issuer string) *Error {
	var known []string
	for _, a := range apps {
		if a.Audience != "" {
			known = append(known, a.Audience)
		}
	}
	e := mismatch(ReasonIssuer, strings.Join(known, " or "), issuer,
		"AADSTS700016: no application of the tenant %s has the request's Issuer as its identifier", quote(tenant))
	if len(known) < len(apps) {
		e.Detail += "; set an app's Audience with RegisterSP, UpdateApp, the control API or in the configuration"
	}
	return e
}

func noSuchTenant(tenant string) *Error {
	return errorf(ReasonNoSuchApp, "AADSTS90002: no app is in the tenant %s", quote(tenant))
}

// handleEntraSSO is a tenant's sign-on address.
func (s *Server) handleEntraSSO(w http.ResponseWriter, r *http.Request) *Error {
	st, tenant := s.state.Load(), r.PathValue("tenant")
	if len(st.entraApps(tenant)) == 0 {
		return noSuchTenant(tenant)
	}
	in, err := readHTTP(w, r)
	if err == nil && !in.has {
		err = malformed(nil, "AADSTS750054: the query has no SAMLRequest; IdP-initiated sign-in begins at the app's link in My Apps")
	}
	if err != nil {
		return err
	}
	app, p, err := s.readEntra(st, tenant, in)
	if app == nil {
		return err
	}
	return s.begin(w, r, app, in, p, err)
}

// handleEntraLaunch is the address of an app's tile.
func (s *Server) handleEntraLaunch(w http.ResponseWriter, r *http.Request) *Error {
	q := r.URL.Query()
	app, err := s.state.Load().entraApp(q.Get("tenantId"), r.PathValue("appid"))
	in := incoming{binding: bindingRedirect, relayState: q.Get("RelayState"), hasRelay: q.Has("RelayState")}
	if err == nil {
		err = checkRelayState(in.relayState)
	}
	if err != nil {
		return err
	}
	p, err := s.read(app, in)
	return s.begin(w, r, app, in, p, err)
}

// handleEntraMetadata is the address of a tenant's metadata, and with an app's ID in the query of that app's, whose key
// comes first.
func (s *Server) handleEntraMetadata(w http.ResponseWriter, r *http.Request) *Error {
	st, tenant := s.state.Load(), r.PathValue("tenant")
	apps := st.entraApps(tenant)
	if len(apps) == 0 {
		return noSuchTenant(tenant)
	}
	if !r.URL.Query().Has("appid") {
		whole := apps[0].clone() // with the Server's keys and the tenant's Issuer
		whole.ID, whole.Issuer, whole.KeyID = "", "https://sts.windows.net/"+st.tenant(apps[0])+"/", ""
		return s.sendMetadata(w, st, &whole)
	}
	app, err := st.entraApp(tenant, r.URL.Query().Get("appid"))
	if err != nil {
		return err
	}
	return s.sendMetadata(w, st, app)
}
