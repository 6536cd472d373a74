package mockidp

import (
	"crypto/x509"
	"encoding/base64"
	"strings"
)

// oktaName is the app's name as Okta gives it.
func (a *App) oktaName() string {
	if a.Kind == Bookmark {
		return "bookmark"
	}
	return a.Name
}

func (a *App) signOnMode() string {
	if a.Kind == Bookmark {
		return "BOOKMARK"
	}
	return "SAML_2_0"
}

func (a *App) status() string {
	if a.Inactive {
		return "INACTIVE"
	}
	return "ACTIVE"
}

// appJSON is an app as Okta shows one.
func (s *Server) appJSON(c *call, st *state, a *App) map[string]any {
	at, path := st.times.apps[a.ID], "/api/v1/apps/"+a.ID
	links := map[string]any{
		"self": c.link(path), "users": c.link(path + "/users"), "groups": c.link(path + "/groups"),
		"appLinks": []any{map[string]any{"name": "login", "href": s.tileURL(a), "type": "text/html"}},
		"logo":     []any{map[string]any{"name": "medium", "href": s.base() + pathAssets + "icon.svg", "type": "image/svg+xml"}},
	}
	does := "deactivate"
	if a.Inactive {
		does = "activate"
	}
	links[does] = c.link(path+"/lifecycle/"+does, "POST")
	out := map[string]any{
		"id": a.ID, "name": a.oktaName(), "label": a.Label, "status": a.status(), "signOnMode": a.signOnMode(), "created": stamp(at.Created), "lastUpdated": stamp(at.Updated),
		"features": []string{}, "accessibility": map[string]any{"selfService": false, "errorRedirectUrl": nil, "loginRedirectUrl": nil},
		"visibility": map[string]any{"autoLaunch": false, "autoSubmitToolbar": false, "hide": map[string]any{"iOS": false, "web": false}},
		"_links":     links,
	}
	if a.Kind == Bookmark {
		out["credentials"] = map[string]any{}
		out["settings"] = map[string]any{"app": map[string]any{"requestIntegration": false, "url": a.URL}}
		return out
	}
	links["metadata"] = map[string]any{"href": c.base + path + "/sso/saml/metadata", "type": "application/xml"}
	out["credentials"] = map[string]any{
		"userNameTemplate": map[string]any{"template": "${source.login}", "type": "BUILT_IN"},
		"signing":          map[string]any{"kid": st.keyFor(a).id},
	}
	out["settings"] = map[string]any{"app": a.settingsApp(), "signOn": st.signOn(a)}
	return out
}

func (a *App) settingsApp() map[string]any {
	out := map[string]any{}
	if f := a.IdentityCenter; f != nil {
		out["acsURL"], out["entityID"] = f.ACSURL, f.IssuerURL
		for i, u := range f.ACSURLs {
			if u != "" {
				out["acsURL"+itoa(i+1)] = u
			}
		}
	}
	return out
}

func (st *state) signOn(a *App) *signOnBody {
	response, assertion, honor, signedRequests := a.Sign != SignAssertion, a.Sign != SignResponse, !a.IgnoreForceAuthn, a.SignedRequests
	b := &signOnBody{
		DefaultRelayState: a.DefaultRelayState, IDPIssuer: a.Issuer, Audience: a.Audience,
		SubjectNameIDTemplate: a.NameIDTemplate, SubjectNameIDFormat: a.NameIDFormat, ResponseSigned: &response, AssertionSigned: &assertion,
		HonorForceAuthn: &honor, AuthnContextClassRef: a.AuthnContext, SAMLSignedRequestEnabled: &signedRequests,
		ACSEndpoints: []acsBody{}, AttributeStatements: statementsOf(a), AssertionLifetime: int(AssertionLifetime.Seconds()), InlineHooks: []any{},
		SLO: map[string]any{"enabled": false},
	}
	if len(a.ACS) > 0 {
		b.SSOACSURL = a.DefaultACS().URL
	}
	if len(a.ACS) > 1 {
		b.AllowMultipleACSEndpoints = true
		for _, x := range a.ACS {
			b.ACSEndpoints = append(b.ACSEndpoints, acsBody{URL: x.URL, Index: x.Index})
		}
	}
	b.Recipient, b.Destination = or(a.Recipient, b.SSOACSURL), or(a.Destination, b.SSOACSURL)
	if signer, err := st.signer(a); err == nil {
		b.SignatureAlgorithm = algorithmWords[signer.method]
		_, b.DigestAlgorithm, _ = strings.Cut(b.SignatureAlgorithm, "_")
	}
	if len(a.RequestCertificates) > 0 {
		b.SPCertificate = &certBody{}
		for _, cert := range a.RequestCertificates {
			b.SPCertificate.X5C = append(b.SPCertificate.X5C, x5c(cert))
		}
	}
	if a.Encrypt != nil || a.EncryptionCertificate != nil {
		b.AssertionEncryption = &encryptedBody{Enabled: a.Encrypt != nil}
		if a.Encrypt != nil {
			b.AssertionEncryption.Algorithm, b.AssertionEncryption.KeyTransport = encryptionWords[a.Encrypt.Method], transportWords[a.Encrypt.KeyTransport]
		}
		if a.EncryptionCertificate != nil {
			b.AssertionEncryption.X5C = []string{x5c(a.EncryptionCertificate)}
		}
	}
	return b
}

func x5c(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }
