package samlspcompat

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"

	crewjam "github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// checkOptions returns an error for an option that can't be honoured. The others that have no counterpart
// demand a check that Meridian always makes, or concern what it does otherwise (MIGRATING.md).
func checkOptions(o samlsp.Options) error {
	switch {
	case o.IDPMetadata == nil:
		return &Error{Reason: ReasonConfig, Rule: "IDPMetadata", Want: "the metadata of an identity provider"}
	case o.UseSimpleSignResponse, o.Binding == crewjam.HTTPPostSimpleSignBinding,
		o.LogoutBinding == crewjam.HTTPPostSimpleSignBinding,
		slices.Contains(o.LogoutBindings, crewjam.HTTPPostSimpleSignBinding),
		slices.Contains(o.AssertionConsumerServiceBindings, crewjam.HTTPPostSimpleSignBinding):
		return unsupported("HTTP-POST-SimpleSign", "HTTP-POST")
	case o.RelayStateFunc != nil:
		return unsupported("RelayStateFunc", "none: the RelayState is a key to the request's record")
	case o.CookieDomain != "":
		return unsupported("CookieDomain", "none: a session is for one host; put a Middleware at each")
	case o.CookieSameSite == http.SameSiteNoneMode || o.CookieSameSite == http.SameSiteStrictMode:
		return unsupported("CookieSameSite", "none: cookies of requests are None, and the session's is Lax")
	case o.ReplayCache != nil:
		return unsupported("ReplayCache", "Config.Store, which records replays")
	case o.SessionRevocations != nil:
		return unsupported("SessionRevocations",
			"Config.Sessions, which ends sessions")
	}
	return nil
}

// addresses are the URLs of a Middleware.
type addresses struct{ metadata, acs, logout *url.URL }

// addressesOf resolves the paths against URL, as samlsp does.
func addressesOf(o samlsp.Options) addresses {
	at := func(path, usual string) *url.URL { return o.URL.ResolveReference(&url.URL{Path: cmp.Or(path, usual)}) }
	return addresses{at(o.MetadataPath, "saml/metadata"), at(o.AcsPath, "saml/acs"), at(o.SloPath, "saml/slo")}
}

// artifactIndex is the index of the ACS URL for artifacts in our metadata.
const artifactIndex = 1000

// spConfig returns the service provider of o.
func spConfig(o samlsp.Options, at addresses) (saml.Config, error) {
	raw, err := xml.Marshal(o.IDPMetadata)
	if err != nil {
		return saml.Config{}, &Error{Reason: ReasonConfig, Rule: "IDPMetadata", Want: "valid metadata", Err: err}
	}
	idp, err := saml.ParseIdPMetadata(raw)
	if err != nil {
		return saml.Config{}, &Error{Reason: ReasonConfig, Rule: "IDPMetadata", Want: "valid metadata", Err: err}
	}
	end := saml.Endpoint{URL: at.acs.String()}
	if o.AcsIndex != nil {
		if *o.AcsIndex < 0 || *o.AcsIndex > 0xffff {
			return saml.Config{}, &Error{Reason: ReasonConfig, Rule: "AcsIndex", Want: "0 to 65535"}
		}
		index := uint16(*o.AcsIndex)
		end.Index = &index
	}
	if artifacts := o.UseArtifactResponse ||
		slices.Contains(o.AssertionConsumerServiceBindings, crewjam.HTTPArtifactBinding); artifacts {
		index := uint16(artifactIndex)
		end.ArtifactIndex = &index
	}
	cfg := saml.Config{
		EntityID: cmp.Or(o.EntityID, at.metadata.String()), ACS: []saml.Endpoint{end}, ACSByIndex: o.AcsIndex != nil,
		IdP: idp, SignRequests: o.SignRequest, SignMetadata: o.SignMetadata,
	}
	if o.Key != nil {
		cfg.Key, cfg.Certificate = o.Key, o.Certificate
		cfg.Logout = []saml.LogoutEndpoint{{URL: at.logout.String()}}
		cfg.LogoutSOAP = slices.Contains(o.LogoutBindings, crewjam.SOAPBinding)
	}
	if o.Clock != nil {
		cfg.Now = o.Clock.Now
	}
	decrypt(&cfg, o)
	return cfg, nil
}

// decrypt sets the keys that decrypt: EncryptionKey, or Key if there is none, and DecryptionKeys.
func decrypt(cfg *saml.Config, o samlsp.Options) {
	if o.EncryptionKey != nil {
		cfg.DecryptionKeys, cfg.EncryptionCertificate = []crypto.Decrypter{o.EncryptionKey}, o.EncryptionCertificate
	} else if key, ok := o.Key.(crypto.Decrypter); ok {
		if _, isRSA := key.Public().(*rsa.PublicKey); isRSA {
			cfg.DecryptionKeys, cfg.EncryptionCertificate = []crypto.Decrypter{key}, o.Certificate
		}
	}
	for _, key := range o.DecryptionKeys {
		cfg.DecryptionKeys = append(cfg.DecryptionKeys, key)
	}
}

// loginOptions returns what each sign-in asks for.
func loginOptions(o samlsp.Options) (acs.LoginOptions, error) {
	out := acs.LoginOptions{ForceAuthn: o.ForceAuthn}
	if o.UseArtifactResponse {
		out.ResponseBinding = saml.HTTPArtifact
	}
	switch o.Binding {
	case "":
	case crewjam.HTTPRedirectBinding:
		out.Binding = saml.HTTPRedirect
	case crewjam.HTTPPostBinding:
		out.Binding = saml.HTTPPost
	default:
		return out, &Error{Reason: ReasonConfig, Rule: "Binding", Want: "HTTP-Redirect or HTTP-POST"}
	}
	if want := o.RequestedAuthnContext; want != nil {
		if want.Comparison != "" && want.Comparison != string(saml.Exact) {
			return out, unsupported("RequestedAuthnContext.Comparison",
				"exact, or package middleware, which is told the order of contexts")
		}
		out.AuthnContext = &saml.RequestedAuthnContext{ClassRefs: want.ClassRefs()}
		if err := out.AuthnContext.Check(); err != nil {
			return out, &Error{Reason: ReasonConfig, Rule: "RequestedAuthnContext", Want: "valid URIs", Err: err}
		}
	}
	return out, nil
}

// home returns the path to which users come who asked for no other.
func home(o samlsp.Options) (string, error) {
	if o.DefaultRedirectURI == "" {
		return "/", nil
	}
	path := strings.TrimPrefix(o.DefaultRedirectURI, (&url.URL{Scheme: o.URL.Scheme, Host: o.URL.Host}).String())
	if acs.LocalPath(path) == "" {
		return "", unsupported("DefaultRedirectURI", "a path of this host")
	}
	return path, nil
}
