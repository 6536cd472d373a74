package oktaapi

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// oktaName is the app's name as Okta gives it.
func oktaName(a *mockidp.App) string {
	if a.Kind == mockidp.Bookmark {
		return "bookmark"
	}
	return a.Name
}

func signOnMode(a *mockidp.App) string {
	if a.Kind == mockidp.Bookmark {
		return "BOOKMARK"
	}
	return "SAML_2_0"
}

func appStatus(a *mockidp.App) string {
	if a.Inactive {
		return "INACTIVE"
	}
	return "ACTIVE"
}

// appJSON is an app as Okta shows one.
func (s *API) appJSON(c *call, v view, a *mockidp.App) map[string]any {
	at, path := v.AppTimes(a.ID), "/api/v1/apps/"+a.ID
	links := map[string]any{
		"self": c.link(path), "users": c.link(path + "/users"), "groups": c.link(path + "/groups"),
		"appLinks": []any{map[string]any{"name": "login", "href": v.TileURL(a.ID), "type": "text/html"}},
		"logo":     []any{map[string]any{"name": "medium", "href": c.base + pathAssets + "icon.svg", "type": "image/svg+xml"}},
	}
	does := "deactivate"
	if a.Inactive {
		does = "activate"
	}
	links[does] = c.link(path+"/lifecycle/"+does, "POST")
	out := map[string]any{
		"id": a.ID, "name": oktaName(a), "label": a.Label, "status": appStatus(a), "signOnMode": signOnMode(a), "created": stamp(at.Created), "lastUpdated": stamp(at.Updated),
		"features": []string{}, "accessibility": map[string]any{"selfService": false, "errorRedirectUrl": nil, "loginRedirectUrl": nil},
		"visibility": map[string]any{"autoLaunch": false, "autoSubmitToolbar": false, "hide": map[string]any{"iOS": false, "web": false}},
		"_links":     links,
	}
	if a.Kind == mockidp.Bookmark {
		out["credentials"] = map[string]any{}
		out["settings"] = map[string]any{"app": map[string]any{"requestIntegration": false, "url": a.URL}}
		return out
	}
	links["metadata"] = map[string]any{"href": c.base + path + "/sso/saml/metadata", "type": "application/xml"}
	out["credentials"] = map[string]any{
		"userNameTemplate": map[string]any{"template": "${source.login}", "type": "BUILT_IN"},
		"signing":          map[string]any{"kid": v.signingKey(a).ID},
	}
	out["settings"] = map[string]any{"app": settingsApp(a), "signOn": v.signOn(a)}
	return out
}

func settingsApp(a *mockidp.App) map[string]any {
	out := map[string]any{}
	if f := a.IdentityCenter; f != nil {
		out["acsURL"], out["entityID"] = f.ACSURL, f.IssuerURL
		for i, u := range f.ACSURLs {
			if u != "" {
				out["acsURL"+strconv.Itoa(i+1)] = u
			}
		}
	}
	return out
}

func (v view) signOn(a *mockidp.App) *signOnBody {
	response, assertion, honor, signedRequests := a.Sign != mockidp.SignAssertion, a.Sign != mockidp.SignResponse, !a.IgnoreForceAuthn, a.SignedRequests
	b := &signOnBody{
		DefaultRelayState: a.DefaultRelayState, IDPIssuer: a.Issuer, Audience: a.Audience,
		SubjectNameIDTemplate: a.NameIDTemplate, SubjectNameIDFormat: a.NameIDFormat, ResponseSigned: &response, AssertionSigned: &assertion,
		HonorForceAuthn: &honor, AuthnContextClassRef: a.AuthnContext, SAMLSignedRequestEnabled: &signedRequests,
		ACSEndpoints: []acsBody{}, AttributeStatements: statementsOf(a), SSOACSURL: a.DefaultACS().URL, AssertionLifetime: int(mockidp.AssertionLifetime.Seconds()), InlineHooks: []any{},
		SLO: map[string]any{"enabled": false},
	}
	if len(a.ACS) > 1 {
		b.AllowMultipleACSEndpoints = true
		for _, x := range a.ACS {
			b.ACSEndpoints = append(b.ACSEndpoints, acsBody{URL: x.URL, Index: x.Index})
		}
	}
	b.Recipient, b.Destination = cmp.Or(a.Recipient, b.SSOACSURL), cmp.Or(a.Destination, b.SSOACSURL)
	if key, err := v.SigningKey(a.ID); err == nil { // not of a bookmark
		methods := key.Methods()
		if method := cmp.Or(a.SignatureMethod, methods[0]); slices.Contains(methods, method) {
			b.SignatureAlgorithm = algorithmWords[method]
		}
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
