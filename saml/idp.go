package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// The bindings of this package (Bindings 3.4 and 3.5).
const (
	HTTPRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	HTTPPost     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// IdPSource returns the current identity provider. Implementations are safe for
// concurrent use, don't wait for a network, and never return nil.
type IdPSource interface{ IdP() *IdP }

// IdP describes an identity provider: its name, its keys and the addresses for
// requests. It never changes.
type IdP struct {
	entityID string
	sso      []SSOService
	logout   []LogoutService
	keys     []signingKey
	public   []crypto.PublicKey // of keys, in the same order
	lifetime
	artifacts          map[uint16]string // the addresses that resolve artifacts, by index
	attributes         attributeAuthority
	wantRequestsSigned bool
	warnings           []string

	offered  offered
	declared *scopes // those of the metadata; nil: it has none
	scopes   *scopes // those that are accepted; nil: they are not checked
	policy   IdPPolicy

	description Description
}

// SSOService is an address to which AuthnRequests are sent.
type SSOService struct {
	Binding string // HTTPRedirect or HTTPPost
	URL     string
}

// IdPConfig describes an identity provider that has no metadata.
type IdPConfig struct {
	// EntityID is the identity provider's name: the Issuer of its messages. Required.
	EntityID string
	// SSO lists the addresses for requests. Empty: no request can be sent.
	SSO []SSOService
	// Logout lists the addresses for logout messages. Empty: there is no single logout.
	Logout []LogoutService
	// Artifacts lists the addresses that resolve artifacts. Empty: artifacts are refused.
	Artifacts []ArtifactService
	// AttributeService is the address for attribute queries by SOAP, whose answers are signed with the same keys. Empty:
	// the identity provider answers none.
	AttributeService string
	// Certificates and Keys hold the signing keys: at least one, at most 32.
	Certificates []*x509.Certificate
	Keys         []crypto.PublicKey
	// WantAuthnRequestsSigned says that the identity provider requires signed
	// requests.
	WantAuthnRequestsSigned bool
	// ValidUntil is the instant at which this description expires. Zero: never.
	ValidUntil time.Time
}

// signingKey is a key that the identity provider may sign with. It is trusted
// because it is in the metadata. The dates of its certificate are reported, not
// enforced (SAML V2.0 Metadata Interoperability Profile 2.6.1).
type signingKey struct {
	public crypto.PublicKey
	cert   *x509.Certificate // nil for a bare key
}

// NewIdP validates a description and returns its identity provider. The error is
// a [*Error] with ReasonMetadata that names the field.
func NewIdP(cfg IdPConfig) (*IdP, error) {
	idp := &IdP{entityID: cfg.EntityID, wantRequestsSigned: cfg.WantAuthnRequestsSigned}
	idp.validUntil = cfg.ValidUntil
	for _, s := range cfg.SSO {
		if s.Binding != HTTPRedirect && s.Binding != HTTPPost {
			return nil, metadataError("SSO.Binding", "%s is neither HTTP-Redirect nor HTTP-POST", quote(s.Binding))
		}
		if err := checkLocation("SSO.URL", s.URL); err != nil {
			return nil, metadataError("SSO.URL", "%s", err.Detail)
		}
		idp.sso = append(idp.sso, s)
	}
	for _, s := range cfg.Logout {
		if err := s.check(); err != nil {
			return nil, metadataError("Logout", "%s", err.Detail)
		}
		idp.logout = append(idp.logout, s)
	}
	if err := idp.setArtifactServices(cfg.Artifacts); err != nil {
		return nil, err
	}
	if idp.attributes.url = cfg.AttributeService; cfg.AttributeService != "" {
		if err := checkLocation("AttributeService", cfg.AttributeService); err != nil {
			return nil, metadataError("AttributeService", "%s", err.Detail)
		}
	}
	for _, cert := range cfg.Certificates {
		if cert == nil {
			return nil, metadataError("Certificates", "one of them is nil")
		}
		idp.addKey(signingKey{public: cert.PublicKey, cert: cert})
	}
	for _, key := range cfg.Keys {
		idp.addKey(signingKey{public: key})
	}
	if err := idp.check(); err != nil {
		return nil, err
	}
	return idp, nil
}

const (
	// maxSigningKeys is more than any rollover needs. A signature that none of
	// the keys made costs one operation with each.
	maxSigningKeys = 32
	// maxReasons bounds how many warnings an error repeats.
	maxReasons = 8
)

// check requires an entity ID and a key.
func (i *IdP) check() error {
	switch {
	case i.entityID == "":
		return metadataError("entityID (Metadata 2.3.2)", "is required")
	case len(i.entityID) > maxEntityID:
		return metadataError("entityID (Core 8.3.6)", "at most %d characters, got %d", maxEntityID, len(i.entityID))
	case len(i.keys) == 0:
		why := append([]string{"no RSA or ECDSA signing key"}, i.warnings[:min(len(i.warnings), maxReasons)]...)
		return metadataError("signing keys", "%s", clip(strings.Join(why, "; ")))
	case len(i.keys) > maxSigningKeys:
		return metadataError("signing keys", "more than %d", maxSigningKeys)
	}
	return nil
}

// addKey keeps each RSA or ECDSA key once. It ignores empty keys and those of other
// kinds, which verify no signature in SAML. It keeps weak keys: the service
// provider's Config decides about them.
func (i *IdP) addKey(key signingKey) {
	switch public := key.public.(type) {
	case *rsa.PublicKey:
		if public == nil || public.N == nil {
			return
		}
	case *ecdsa.PublicKey:
		//lint:ignore SA1019 Bytes panics without them
		if public == nil || public.Curve == nil || public.X == nil || public.Y == nil {
			return
		}
		if _, err := public.Bytes(); err != nil { // not a point of its curve
			return
		}
	default:
		return
	}
	known := func(have crypto.PublicKey) bool {
		return have.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.public)
	}
	if len(i.keys) > maxSigningKeys || slices.ContainsFunc(i.public, known) {
		return // check refuses too many
	}
	i.keys = append(i.keys, key)
	i.public = append(i.public, key.public)
}

// IdP returns i, so that an IdP is an [IdPSource].
func (i *IdP) IdP() *IdP { return i }

// EntityID returns the identity provider's name, the Issuer of its messages.
func (i *IdP) EntityID() string { return i.entityID }

// ValidUntil returns the instant at which this metadata expires, zero for never.
func (i *IdP) ValidUntil() time.Time { return i.validUntil }

// Until returns a copy of i that expires at end, or at i's own ValidUntil if that is
// earlier. Use it for metadata that was withdrawn.
func (i *IdP) Until(end time.Time) *IdP {
	out := *i
	out.validUntil = earliest(i.validUntil, end)
	return &out
}

// CacheDuration returns how long this metadata may be used before it is fetched
// again (Metadata 2.3.2). It is the shortest value of the entity, its roles and the
// groups that contain it, or zero if there is none. Metadata remains valid after it.
func (i *IdP) CacheDuration() time.Duration { return i.cacheDuration }

// Warnings lists what was ignored in the metadata: unusable keys with the reason,
// and addresses to which no requests are sent. It has at most 1,000.
func (i *IdP) Warnings() []string { return slices.Clone(i.warnings) }

// WantAuthnRequestsSigned reports whether the identity provider wants signed
// requests.
func (i *IdP) WantAuthnRequestsSigned() bool { return i.wantRequestsSigned }

// SSOServices lists the addresses for AuthnRequests.
func (i *IdP) SSOServices() []SSOService { return slices.Clone(i.sso) }

// Certificates lists the certificates of the signing keys, for display. Bare keys
// have none.
func (i *IdP) Certificates() []*x509.Certificate {
	var out []*x509.Certificate
	for _, k := range i.keys {
		if k.cert != nil {
			out = append(out, k.cert)
		}
	}
	return out
}

// ssoService returns the address for a binding. An empty binding means
// HTTP-Redirect if there is one, else HTTP-POST.
func (i *IdP) ssoService(binding string) (SSOService, error) {
	for _, want := range []string{HTTPRedirect, HTTPPost} {
		at := slices.IndexFunc(i.sso, func(s SSOService) bool { return s.Binding == want })
		if at >= 0 && (binding == "" || binding == want) {
			return i.sso[at], nil
		}
	}
	return SSOService{}, metadataError("SingleSignOnService (Metadata 2.4.3)",
		"%s has no address for the binding %s", quote(i.entityID), quote(binding))
}

// SwappableIdP is an [IdPSource] whose metadata can be replaced at any time. Each
// verification uses either the old or the new metadata. Fetch and check new metadata
// first, then call Replace.
type SwappableIdP struct{ current atomic.Pointer[IdP] }

// NewSwappableIdP returns a source that begins with first, which must not be nil.
func NewSwappableIdP(first *IdP) *SwappableIdP {
	s := new(SwappableIdP)
	s.Replace(first)
	return s
}

// IdP returns the current identity provider.
func (s *SwappableIdP) IdP() *IdP { return s.current.Load() }

// Replace makes next the current identity provider. It panics if next is nil.
func (s *SwappableIdP) Replace(next *IdP) {
	if next == nil {
		panic("saml: SwappableIdP.Replace(nil)")
	}
	s.current.Store(next)
}
