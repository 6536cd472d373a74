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

func oktaName(a mockidp.App) string {
	if a.Kind == mockidp.Bookmark {
		return "bookmark"
	}
	return a.Name
}

func signOnMode(a mockidp.App) string {
	if a.Kind == mockidp.Bookmark {
		return "BOOKMARK"
	}
	return "SAML_2_0"
}

func appStatus(a mockidp.App) string {
	if a.Inactive {
		return "INACTIVE"
	}
	return "ACTIVE"
}

func (c *call) appJSON(a mockidp.App) object {
	at, path := c.AppTimes(a.ID), "/api/v1/apps/"+a.ID
	links := object{
		"self": c.link(path), "users": c.link(path + "/users"), "groups": c.link(path + "/groups"),
		"appLinks": []any{object{"name": "login", "href": c.TileURL(a.ID), "type": "text/html"}},
		"logo":     []any{object{"name": "medium", "href": c.base + pathAssets + "icon.svg", "type": "image/svg+xml"}},
	}
	operation := "deactivate"
	if a.Inactive {
		operation = "activate"
	}
	links[operation] = object{"href": c.base + path + "/lifecycle/" + operation,
		"hints": object{"allow": []string{"POST"}}}
	out := object{
		"id": a.ID, "name": oktaName(a), "label": a.Label, "status": appStatus(a), "signOnMode": signOnMode(a),
		"created": stamp(at.Created), "lastUpdated": stamp(at.Updated), "features": []string{}, "_links": links,
		"accessibility": object{"selfService": false, "errorRedirectUrl": nil, "loginRedirectUrl": nil},
		"visibility": object{"autoLaunch": false, "autoSubmitToolbar": false,
			"hide": object{"iOS": false, "web": false}},
	}
	if a.Kind == mockidp.Bookmark {
		out["credentials"] = object{}
		out["settings"] = object{"app": object{"requestIntegration": false, "url": a.URL}}
		return out
	}
	links["metadata"] = object{"href": c.base + path + "/sso/saml/metadata", "type": "application/xml"}
	out["credentials"] = object{
		"userNameTemplate": object{"template": "${source.login}", "type": "BUILT_IN"},
		"signing":          object{"kid": c.signingKey(a.ID)},
	}
	out["settings"] = object{"app": settingsApp(a), "signOn": c.signOn(a)}
	return out
}

func settingsApp(a mockidp.App) object {
	out := object{}
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

func (v view) signOn(a mockidp.App) *signOnBody {
	response, assertion := a.Sign <= mockidp.SignResponse, a.Sign == mockidp.SignBoth || a.Sign == mockidp.SignAssertion
	honorForceAuthn, url := !a.IgnoreForceAuthn, a.DefaultACS().URL
	b := &signOnBody{
		DefaultRelayState: a.DefaultRelayState, IDPIssuer: a.Issuer, Audience: a.Audience, SSOACSURL: url,
		Recipient: cmp.Or(a.Recipient, url), Destination: cmp.Or(a.Destination, url),
		SubjectNameIDTemplate: a.NameIDTemplate, SubjectNameIDFormat: a.NameIDFormat,
		ResponseSigned: &response, AssertionSigned: &assertion, HonorForceAuthn: &honorForceAuthn,
		AuthnContextClassRef: a.AuthnContext, SAMLSignedRequestEnabled: &a.SignedRequests,
		AllowMultipleACSEndpoints: len(a.ACS) > 1, ACSEndpoints: []acsBody{}, AttributeStatements: statementsOf(a),
		AssertionLifetime: int(mockidp.AssertionLifetime.Seconds()), InlineHooks: []any{}, SLO: object{"enabled": false},
	}
	if a.LogoutURL != "" {
		b.SLO = object{"enabled": true, "issuer": a.Audience, "logoutUrl": a.LogoutURL}
	}
	if len(a.ACS) > 1 {
		b.ACSEndpoints = shown(a.ACS, func(x mockidp.ACS) acsBody { return acsBody{x.URL, x.Index} })
	}
	if key, err := v.SigningKey(a.ID); err == nil { // a bookmark has none
		methods := key.Methods()
		if method := cmp.Or(a.SignatureMethod, methods[0]); slices.Contains(methods, method) {
			b.SignatureAlgorithm = algorithmWords[method]
		}
		_, b.DigestAlgorithm, _ = strings.Cut(b.SignatureAlgorithm, "_")
	}
	if len(a.RequestCertificates) > 0 {
		b.SPCertificate = &certBody{shown(a.RequestCertificates, x5c)}
	}
	if a.Encrypt != nil || a.EncryptionCertificate != nil {
		b.AssertionEncryption = &encryptedBody{Enabled: a.Encrypt != nil}
	}
	if e := a.Encrypt; e != nil {
		b.AssertionEncryption.Algorithm = encryptionWords[e.Method]
		b.AssertionEncryption.KeyTransport = transportWords[e.KeyTransport]
	}
	if a.EncryptionCertificate != nil {
		b.AssertionEncryption.X5C = []string{x5c(a.EncryptionCertificate)}
	}
	return b
}

func x5c(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }
