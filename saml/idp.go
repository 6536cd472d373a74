package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Bindings that this package speaks (Bindings 3.4 and 3.5).
const (
	HTTPRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	HTTPPost     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// IdPSource gives the identity provider as it is known now. Implementations
// are safe for concurrent use, answer without waiting for a network, and never
// return nil.
type IdPSource interface{ IdP() *IdP }

// IdP is what is known of an identity provider: its name, its keys and where
// it takes requests. It never changes.
type IdP struct {
	entityID string
	sso      []SSOService
	keys     []signingKey
	public   []crypto.PublicKey // of keys, in the same order
	lifetime
	wantRequestsSigned bool
	warnings           []string
}

// SSOService is an address at which an identity provider takes AuthnRequests.
type SSOService struct {
	Binding string // HTTPRedirect or HTTPPost
	URL     string
}

// IdPConfig describes an identity provider by hand, where there is no metadata.
type IdPConfig struct {
	// EntityID is the identity provider's name: the Issuer of its messages. Required.
	EntityID string
	// SSO may be empty for a service provider that sends no requests.
	SSO []SSOService
	// Certificates and Keys hold the signing keys: at least one, at most 32.
	Certificates []*x509.Certificate
	Keys         []crypto.PublicKey
	// WantAuthnRequestsSigned asks for signed requests.
	WantAuthnRequestsSigned bool
	// ValidUntil is when this description ends. Zero: never.
	ValidUntil time.Time
}

// signingKey is a key that the identity provider may sign with. The key is
// trusted because the metadata says so; the dates of a certificate around it
// are reported, not enforced (SAML V2.0 Metadata Interoperability Profile 2.6.1).
type signingKey struct {
	public crypto.PublicKey
	cert   *x509.Certificate // nil for a bare key
}

// NewIdP checks a description and makes the identity provider.
func NewIdP(cfg IdPConfig) (*IdP, error) {
	idp := &IdP{entityID: cfg.EntityID, wantRequestsSigned: cfg.WantAuthnRequestsSigned, lifetime: lifetime{validUntil: cfg.ValidUntil}}
	for _, s := range cfg.SSO {
		if s.Binding != HTTPRedirect && s.Binding != HTTPPost {
			return nil, metadataError("SSO.Binding", quote(s.Binding)+" is neither HTTP-Redirect nor HTTP-POST")
		}
		if err := checkEndpointURL("SSO.URL", s.URL); err != nil {
			return nil, metadataError("SSO.URL", err.(*Error).Detail)
		}
		idp.sso = append(idp.sso, s)
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
	// maxReasons bounds what an error repeats of the warnings.
	maxReasons = 8
)

// check wants a name and a key, without which nothing can be believed.
func (i *IdP) check() error {
	switch {
	case i.entityID == "":
		return metadataError("entityID (Metadata 2.3.2)", "is required")
	case len(i.entityID) > maxEntityID:
		return metadataError("entityID (Core 8.3.6)", fmt.Sprintf("at most %d characters, got %d", maxEntityID, len(i.entityID)))
	case len(i.keys) == 0:
		why := append([]string{"no RSA or ECDSA signing key"}, i.warnings[:min(len(i.warnings), maxReasons)]...)
		return metadataError("signing keys", clip(strings.Join(why, "; ")))
	case len(i.keys) > maxSigningKeys:
		return metadataError("signing keys", fmt.Sprintf("more than %d", maxSigningKeys))
	}
	return nil
}

// addKey keeps each RSA or ECDSA key once. Other kinds can't verify any
// signature that SAML knows, so they are passed over, as are empty ones. A key that is too weak
// is kept: what is too weak is the service provider's decision.
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
		if _, err := public.Bytes(); err != nil { // no point of its curve
			return
		}
	default:
		return
	}
	if len(i.keys) > maxSigningKeys {
		return // check refuses them all
	}
	for _, have := range i.keys {
		if have.public.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.public) {
			return
		}
	}
	i.keys = append(i.keys, key)
	i.public = append(i.public, key.public)
}

// IdP returns i itself, which makes an IdP that never changes a source.
func (i *IdP) IdP() *IdP { return i }

// EntityID is the identity provider's name, which its messages carry as Issuer.
func (i *IdP) EntityID() string { return i.entityID }

// ValidUntil is the instant at which this metadata ends; zero if it doesn't say.
func (i *IdP) ValidUntil() time.Time { return i.validUntil }

// Until returns i with an end: the given instant, unless it ends sooner. It is for
// metadata that was withdrawn.
func (i *IdP) Until(end time.Time) *IdP {
	out := *i
	out.validUntil = earliest(i.validUntil, end)
	return &out
}

// CacheDuration is how long this metadata may be used before it is read again
// (Metadata 2.3.2), by what it says of itself: the shortest of those around the
// entity and in it. Zero: it doesn't say. The metadata doesn't expire by it.
func (i *IdP) CacheDuration() time.Duration { return i.cacheDuration }

// Warnings lists what was passed over in the metadata, for an operator: keys
// that can't be used and why, and addresses that requests are not sent to.
func (i *IdP) Warnings() []string { return slices.Clone(i.warnings) }

// WantAuthnRequestsSigned reports whether the identity provider asks for
// signed requests.
func (i *IdP) WantAuthnRequestsSigned() bool { return i.wantRequestsSigned }

// SSOServices lists where the identity provider takes AuthnRequests.
func (i *IdP) SSOServices() []SSOService { return append([]SSOService(nil), i.sso...) }

// Certificates lists the certificates of the signing keys, for a person to
// look at. Bare keys have none.
func (i *IdP) Certificates() []*x509.Certificate {
	var out []*x509.Certificate
	for _, k := range i.keys {
		if k.cert != nil {
			out = append(out, k.cert)
		}
	}
	return out
}

// ssoService picks the address for a binding; an empty binding means
// HTTP-Redirect if there is one, else HTTP-POST.
func (i *IdP) ssoService(binding string) (SSOService, error) {
	for _, want := range []string{HTTPRedirect, HTTPPost} {
		if binding != "" && binding != want {
			continue
		}
		for _, s := range i.sso {
			if s.Binding == want {
				return s, nil
			}
		}
	}
	return SSOService{}, &Error{Reason: ReasonMetadata, Rule: "SingleSignOnService (Metadata 2.4.3)", Detail: fmt.Sprintf("%s has no address for the binding %s", quote(i.entityID), quote(binding))}
}

// SwappableIdP is a source whose metadata can be replaced while sign-ins are
// under way: each of them sees the old or the new one, never a mixture. Fetch
// and check new metadata wherever you like, then Replace.
type SwappableIdP struct{ current atomic.Pointer[IdP] }

// NewSwappableIdP starts with first, which must not be nil.
func NewSwappableIdP(first *IdP) *SwappableIdP {
	s := new(SwappableIdP)
	s.Replace(first)
	return s
}

// IdP is the identity provider as it is known now.
func (s *SwappableIdP) IdP() *IdP { return s.current.Load() }

// Replace puts next in place of what was known. Nil is a programming error and
// panics.
func (s *SwappableIdP) Replace(next *IdP) {
	if next == nil {
		panic("saml: SwappableIdP.Replace(nil)")
	}
	s.current.Store(next)
}

func metadataError(field, detail string) *Error {
	return &Error{Reason: ReasonMetadata, Rule: field, Detail: detail}
}
