package mockidp

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// tenantIssuer matches the issuer of a tenant of Microsoft Entra ID, with the tenant's ID.
var tenantIssuer = regexp.MustCompile(
	`^https://sts\.windows\.net/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/$`)

// entraTenant returns the ID of the tenant that an app is in: the one in its Issuer, else the Server's.
func (st *state) entraTenant(a *App) string {
	if m := tenantIssuer.FindStringSubmatch(a.Issuer); m != nil {
		return m[1]
	}
	return tenantID(naming{salt: st.salt, org: st.org, tenant: st.tenant})
}

func tenantID(n naming) string { return tenantIDIn(n.tenant, derivedGUID("tenant\x00"+n.salt+n.org)) }

func derivedGUID(from string) string {
	b := sha256.Sum256([]byte(from))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// entraApps returns a tenant's apps. The case of a tenant ID doesn't matter.
func (st *state) entraApps(tenant string) []*App {
	var out []*App
	for _, a := range st.apps {
		if a.Kind == SAML && a.Profile == Entra && strings.EqualFold(st.entraTenant(a), tenant) {
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

// shareIdentifier reports whether two apps of one tenant have the same Audience, so that a request's app is ambiguous.
func (st *state) shareIdentifier(a, b *App) bool {
	return a.Kind == SAML && b.Kind == SAML && a.Profile == Entra && b.Profile == Entra &&
		a.Audience == b.Audience && a.Audience != "" && strings.EqualFold(st.entraTenant(a), st.entraTenant(b))
}

const claimsIdentity = "http://schemas.microsoft.com/identity/claims/"

// entraClaims returns what Entra ID sends by default (learn.microsoft.com, "SAML token claims reference" and "Customize
// SAML token claims"), without a NameFormat.
func (a *App) entraClaims(u *User) []Attribute {
	var out []Attribute
	if m := tenantIssuer.FindStringSubmatch(a.Issuer); m != nil {
		out = append(out, Attribute{claimsIdentity + "tenantid", "", []string{m[1]}})
	}
	out = append(out, Attribute{claimsIdentity + "objectidentifier", "", []string{derivedGUID("user\x00" + u.ID)}},
		Attribute{claimsIdentity + "displayname", "", []string{u.Name()}},
		Attribute{claimsIdentity + "identityprovider", "", []string{a.Issuer}})
	entra := *presetByID("entra")
	entra.Groups = nil // an administrator adds the claim
	return append(out, entra.attributesFor(u)...)
}

// readEntra reads a request to a tenant, whose Issuer identifies the app.
func (s *Server) readEntra(st *state, tenant string, in incoming) (*App, pending, *Error) {
	return s.read(nil, in, func(req *authnRequest) (*App, *Error) {
		if !req.HasIssuer {
			return nil, errorf(ReasonIssuer, "the AuthnRequest has no Issuer (SAML Profiles 4.1.4.1), which identifies the app")
		}
		apps := st.entraApps(tenant)
		var known []string
		for _, a := range apps {
			if a.Audience == req.Issuer && a.Audience != "" {
				return a, nil
			}
			if a.Audience != "" {
				known = append(known, a.Audience)
			}
		}
		e := mismatch(ReasonIssuer, strings.Join(known, " or "), req.Issuer,
			"AADSTS700016: no application of the tenant %s has the request's Issuer as its identifier", quote(tenant))
		if len(known) < len(apps) {
			e.Detail += "; set an app's Audience with RegisterSP, UpdateApp, the control API or in the configuration"
		}
		return nil, e
	})
}

func noSuchTenant(tenant string) *Error {
	return errorf(ReasonNoSuchApp, "AADSTS90002: no app is in the tenant %s", quote(tenant))
}

func (s *Server) handleEntraSSO(w http.ResponseWriter, r *http.Request) *Error {
	st, tenant := s.state.Load(), r.PathValue("tenant")
	if len(st.entraApps(tenant)) == 0 {
		return noSuchTenant(tenant)
	}
	in, err := readHTTP(w, r)
	if err == nil && !in.has {
		err = malformed(nil, "AADSTS750054: the query has no SAMLRequest; a tile's sign-in begins at its link in My Apps")
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

func (s *Server) handleEntraLaunch(w http.ResponseWriter, r *http.Request) *Error {
	q := r.URL.Query()
	app, err := s.state.Load().entraApp(q.Get("tenantId"), r.PathValue("appid"))
	in := incoming{binding: bindingRedirect, relayState: q.Get("RelayState"), hasRelay: q.Has("RelayState"),
		compose: composing(q)}
	if err == nil {
		err = checkRelayState(in.relayState)
	}
	if err != nil {
		return err
	}
	app, p, err := s.read(app, in, nil)
	return s.begin(w, r, app, in, p, err)
}

// handleEntraMetadata serves a tenant's metadata, or with an app's ID in the query that app's.
func (s *Server) handleEntraMetadata(w http.ResponseWriter, r *http.Request) *Error {
	st, tenant := s.state.Load(), r.PathValue("tenant")
	apps := st.entraApps(tenant)
	if len(apps) == 0 {
		return noSuchTenant(tenant)
	}
	if !r.URL.Query().Has("appid") {
		whole := apps[0].clone() // with the Server's keys and the tenant's Issuer
		whole.ID, whole.Issuer, whole.KeyID = "", "https://sts.windows.net/"+st.entraTenant(apps[0])+"/", ""
		return s.sendMetadata(w, st, &whole)
	}
	app, err := st.entraApp(tenant, r.URL.Query().Get("appid"))
	if err != nil {
		return err
	}
	return s.sendMetadata(w, st, app)
}
