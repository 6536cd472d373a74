package saml

import (
	"net/url"
	"slices"
)

// RequestOptions describes an AuthnRequest (Core 3.4.1). The zero value asks for as
// little as possible, which every identity provider accepts.
type RequestOptions struct {
	// ACS is the URL that the response is sent to. It must be on the list of ACS
	// URLs. Empty: the first, which is the default.
	ACS string
	// IdP is the entity ID of the identity provider that the request is made to.
	// Required with Config.IdPs. Otherwise empty, or that of the only one.
	IdP string
	// Binding is HTTPRedirect or HTTPPost. Empty: HTTP-Redirect where the
	// identity provider offers it, else HTTP-POST.
	Binding string
	// ResponseBinding is HTTPPost, or HTTPArtifact to ask for an artifact instead of the
	// response itself. The ACS must have an ArtifactIndex. Both are accepted there,
	// whatever is asked for. Empty: HTTPPost.
	ResponseBinding string
	// ForceAuthn asks for a new authentication. An assertion with an older one is
	// refused.
	ForceAuthn bool
	// IsPassive asks the identity provider to show the user no page. If it can't
	// sign the user in without one, it answers with the status NoPassive.
	IsPassive bool
	// AuthnContext asks for certain authentication contexts. An assertion with
	// another one is refused. Nil: no request. Entra ID and AD FS fail on classes
	// that they don't know.
	AuthnContext *RequestedAuthnContext
	// NameIDPolicy asks for a certain NameID. Nil: no request.
	NameIDPolicy *NameIDPolicy
	// Subject asks for an assertion about this user, for example the one who must
	// authenticate again. An assertion about another is refused with ReasonSubject:
	// the whole NameID must be the same (Core 3.4.1.4, 3.3.4). So use the NameID of an
	// earlier assertion. An absent Format is unspecified, an absent NameQualifier is
	// the identity provider's entity ID, and an absent SPNameQualifier is ours. The
	// NameID is not encrypted, and with HTTP-Redirect it is in the URL. Entra ID
	// refuses requests with a Subject. To fill in a form only, see Query. Nil: any user.
	Subject *NameID

	// ProviderName is our name for people, which an identity provider may show. At
	// most 1,024 bytes. Empty: none.
	ProviderName string
	// AttributeConsumingServiceIndex is the Index of one of
	// Config.AttributeConsumingServices, whose attributes the identity provider is to
	// send. Verify doesn't check that it does: see [Decoder]. Zero: the default one.
	AttributeConsumingServiceIndex uint16
	// Scoping is for identity providers that send users on to others. Nil: none.
	Scoping *Scoping
	// Extensions are elements in XML that this service provider and the identity
	// provider agree on (Core 3.2.1), each with all its namespace declarations. They
	// may use no namespace of SAML's own, except for attributes inside
	// (saml:Attribute), and no XML Signature or Encryption. At most 8 KiB in all.
	// Empty: none.
	Extensions []string
	// Query has parameters that are added to the identity provider's URL, such as
	// login_hint and domain_hint. No signature covers them. With HTTP-POST they are in
	// the form's action. Names have up to 64 letters, digits and "-._~". Neither
	// SAML's own parameters nor those that the URL has already may be named, in any
	// case. At most 2 KiB, encoded. Empty: none.
	Query url.Values
}

// NameIDPolicy is the NameIDPolicy of a request (Core 3.4.1.1). An assertion with
// another Format or SPNameQualifier is refused with ReasonNameID.
type NameIDPolicy struct {
	// Format is a URI. Empty or unspecified: any.
	Format string
	// AllowCreate allows the identity provider to create an identifier for the user.
	AllowCreate bool
	// SPNameQualifier asks for a NameID in the namespace of an affiliation of service
	// providers, one of Config.SPNameQualifiers, or in our own, which is EntityID.
	// Empty: no request.
	SPNameQualifier string
}

const (
	maxRequest     = 32 << 10 // bytes of an AuthnRequest without its signature
	maxRequestText = 1024     // bytes of a name or URI in it (Core 8.3.6)
)

// CheckRequestOptions returns the error with ReasonConfig that NewAuthnRequest would
// return for each of the options but ACS and IdP. Use it if the user chooses the identity
// provider later.
func (sp *ServiceProvider) CheckRequestOptions(o RequestOptions) error {
	_, err := o.check(&sp.cfg)
	return err
}

// check also returns the extensions in canonical form.
func (o *RequestOptions) check(cfg *Config) (extensions string, err error) {
	if o.Binding != "" && o.Binding != HTTPRedirect && o.Binding != HTTPPost {
		return "", configError("RequestOptions.Binding", "%s is neither HTTP-Redirect nor HTTP-POST", quote(o.Binding))
	}
	if o.ResponseBinding != "" && o.ResponseBinding != HTTPPost && o.ResponseBinding != HTTPArtifact {
		return "", configError("RequestOptions.ResponseBinding",
			"%s is neither HTTP-POST nor HTTP-Artifact", quote(o.ResponseBinding))
	}
	if err := checkRequestText("RequestOptions.ProviderName", o.ProviderName, false); err != nil {
		return "", err
	}
	index := o.AttributeConsumingServiceIndex
	if index != 0 && !slices.ContainsFunc(cfg.AttributeConsumingServices, func(s AttributeConsumingService) bool {
		return s.Index == index
	}) {
		return "", configError("RequestOptions.AttributeConsumingServiceIndex",
			"%d is not the Index of one of Config.AttributeConsumingServices", index)
	}
	for _, check := range []func() error{
		o.AuthnContext.Check, func() error { return o.NameIDPolicy.check(cfg) },
		func() error { return o.Subject.checkRequested(cfg) }, o.Scoping.check, func() error { return checkQuery(o.Query) },
	} {
		if err := check(); err != nil {
			return "", err
		}
	}
	return canonicalExtensions(o.Extensions)
}

func (p *NameIDPolicy) check(cfg *Config) error {
	if p == nil {
		return nil
	}
	if err := checkRequestText("RequestOptions.NameIDPolicy.Format", p.Format, false); err != nil {
		return err
	}
	return cfg.checkQualifier("RequestOptions.NameIDPolicy.SPNameQualifier", p.SPNameQualifier)
}

// checkQualifier accepts an SPNameQualifier that Verify accepts.
func (cfg *Config) checkQualifier(field, qualifier string) error {
	if !cfg.hasQualifier(qualifier) {
		return configError(field, "%s is neither Config.EntityID nor one of Config.SPNameQualifiers", quote(qualifier))
	}
	return nil
}

// hasQualifier reports whether an SPNameQualifier is absent, our own, or one that we
// share with others.
func (cfg *Config) hasQualifier(qualifier string) bool {
	return qualifier == "" || qualifier == cfg.EntityID || slices.Contains(cfg.SPNameQualifiers, qualifier)
}

func checkRequestText(field, text string, required bool) error {
	switch {
	case required && !isText(text), !writable(text):
		return configError(field, "%s is empty or can't be written in XML", quote(text))
	case len(text) > maxRequestText:
		return configError(field, "at most %d bytes, got %d", maxRequestText, len(text))
	}
	return nil
}
