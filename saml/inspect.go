package saml

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"iter"
	"time"
)

// InspectOptions describes the service provider that metadata is inspected for. The
// zero value checks no dates, and is otherwise as strict as the zero Config.
type InspectOptions struct {
	// Now is the time at which the metadata must be in force. Zero: validUntil is not
	// checked.
	Now time.Time
	// Skew is the allowed difference between clocks. Zero: 180 s.
	Skew time.Duration
	// UnsignedRequests says that requests are signed only for an identity provider
	// that wants them signed.
	UnsignedRequests bool

	// InsecureAllowRSA1024 and InsecureAllowExpiredMetadata are as in Config.
	InsecureAllowRSA1024, InsecureAllowExpiredMetadata bool
}

// EntityReport is what [Aggregate.Inspect] found out about one EntityDescriptor: what
// is used of it, what is not, and why. Strings from the metadata can have any
// characters: quote them before you show them. Each list has at most 4,096 entries,
// Keys 64, and Lifetimes 8; what is beyond is left out.
type EntityReport struct {
	// Description has the entity ID. The rest is empty without a SAML 2.0 identity
	// provider.
	Description Description
	// Roles are the names of the role elements, each once, such as IDPSSODescriptor.
	Roles []string
	// Provider reports whether one is an identity provider for SAML 2.0. The fields
	// below are empty if it is false.
	Provider bool
	// IdP is the identity provider, or nil if its metadata can't be used at all.
	IdP *IdP
	// Problems lists why users can't sign in with it. Empty: they can.
	Problems []*Error
	// Warnings are those of the IdP, and are set even if IdP is nil.
	Warnings []string

	// Ends is the one with the earliest ValidUntil, which is zero if the entity never
	// expires.
	Ends Lifetime
	// Lifetimes are the entity's own, those of the groups around it from the innermost
	// to the root, and those of its roles.
	Lifetimes     []Lifetime
	Keys          []KeyReport
	Endpoints     []EndpointReport
	Services      []ServiceReport
	Algorithms    []AlgorithmReport
	Scopes        []ScopeReport
	NameIDFormats []string // URIs
	Registration  Registration
	// Attributes are the entity's own, such as its categories (SAML V2.0 Metadata
	// Extension for Entity Attributes).
	Attributes []EntityAttribute
}

// Lifetime is how long an element of metadata may be used (Metadata 2.3.1, 2.3.2).
type Lifetime struct {
	Element       string        // EntitiesDescriptor, EntityDescriptor or IDPSSODescriptor
	Name          string        // of an EntitiesDescriptor, cut short; may be empty
	ValidUntil    time.Time     // zero: none
	CacheDuration time.Duration // zero: none
}

// KeyReport describes a KeyDescriptor of an identity provider (Metadata 2.4.1.1).
type KeyReport struct {
	Use         string            // signing or encryption; empty: both
	Public      crypto.PublicKey  // nil: there is no usable one
	Certificate *x509.Certificate // of Public; nil: none, or one that crypto/x509 refuses
	// Trusted reports whether signatures made with the key are accepted, if the
	// identity provider has no Problems.
	Trusted bool
	// Ignored lists what is not used of the KeyDescriptor, and why.
	Ignored []string
	// EncryptionMethods lists what the identity provider can decrypt with the key.
	EncryptionMethods []AlgorithmReport
}

// EndpointReport describes a SingleSignOnService (Metadata 2.4.3).
type EndpointReport struct {
	SSOService
	Ignored string // why no request is sent to it; empty: it is used
}

// ServiceReport describes an address of an identity provider for other messages than
// requests for a sign-in.
type ServiceReport struct {
	// Element is SingleLogoutService (Metadata 2.4.2), ArtifactResolutionService
	// (2.4.3), or AttributeService of an AttributeAuthorityDescriptor (2.4.7).
	Element      string
	Binding, URL string
	ResponseURL  string // of a SingleLogoutService, for LogoutResponses; empty: URL
	Index        string // of an ArtifactResolutionService, as it is in the metadata
	Ignored      string // why no message is sent to it; empty: it is used
}

// AlgorithmReport describes an algorithm that an identity provider's metadata lists.
type AlgorithmReport struct {
	// Element is SigningMethod or DigestMethod, for messages that are sent to the
	// identity provider (Metadata Profile for Algorithm Support), or
	// EncryptionMethod.
	Element          string
	URI              string
	MinBits, MaxBits int // of the key; zero: no bound
	// Usable reports whether this package signs requests with it, or supports it for
	// encryption.
	Usable bool
}

// ScopeReport describes a shibmd:Scope.
type ScopeReport struct {
	Scope   string
	Pattern bool   // it is a regular expression
	Ignored string // why it allows nothing; empty: it is used
}

// Registration says who registered an entity, and when (SAML V2.0 Metadata Extensions
// for Registration and Publication Information 2.1). Empty: the metadata doesn't say.
type Registration struct {
	Authority string
	Instant   time.Time
}

// Inspect yields a report on each entity, in document order, also on those that are
// no identity provider. Use it to find out why an identity provider is not usable,
// not to sign users in. It reads one entity at a time, and keeps none of them.
func (a *Aggregate) Inspect(o InspectOptions) iter.Seq[*EntityReport] {
	o.Skew = cmp.Or(o.Skew, defaultSkew)
	return func(yield func(*EntityReport) bool) {
		for entity := range entities(a.root) {
			if !yield(a.inspect(entity, &o)) {
				return
			}
		}
	}
}

// check finds out whether users can sign in with an identity provider.
func (o *InspectOptions) check(r *EntityReport) {
	cfg := Config{
		Skew: o.Skew, InsecureAllowRSA1024: o.InsecureAllowRSA1024,
		InsecureAllowExpiredMetadata: o.InsecureAllowExpiredMetadata,
	}
	least := cfg.minRSABits()
	for i := range r.Keys {
		r.Keys[i].decide(least)
	}
	if r.IdP == nil {
		return
	}
	errs := []error{checkAnyStrong(r.IdP.public, least)}
	if !o.Now.IsZero() {
		errs = append(errs, cfg.checkMetadataInForce(r.IdP, o.Now))
	}
	if len(r.IdP.sso) == 0 {
		errs = append(errs, metadataError("SingleSignOnService (Metadata 2.4.3)",
			"no usable address for HTTP-Redirect or HTTP-POST, so no request can be sent"))
	} else if !o.UnsignedRequests || r.IdP.wantRequestsSigned {
		errs = append(errs, r.IdP.checkSignable())
	}
	for _, err := range errs {
		if e, ok := err.(*Error); ok {
			r.Problems = append(r.Problems, e)
		}
	}
}

// decide sets Trusted.
func (k *KeyReport) decide(leastBits int) {
	if k.Public == nil || k.Use == "encryption" {
		return
	}
	bits := rsaBits(k.Public)
	if k.Trusted = bits == 0 || bits >= leastBits; !k.Trusted {
		k.Ignored = append(k.Ignored, fmt.Sprintf("an RSA key of %d bits, want at least %d", bits, leastBits))
	}
}

// checkAnyStrong requires a key that is strong enough to verify signatures.
func checkAnyStrong(keys []crypto.PublicKey, leastBits int) error {
	strongest := 0
	for _, key := range keys {
		bits := rsaBits(key)
		if bits == 0 || bits >= leastBits {
			return nil
		}
		strongest = max(strongest, bits)
	}
	return keyError("signing keys", fmt.Sprintf("an RSA key of at least %d bits, or an ECDSA key", leastBits),
		fmt.Sprintf("%d bits", strongest))
}

// rsaBits returns the size of an RSA key, and zero for other keys.
func rsaBits(key crypto.PublicKey) int {
	if public, ok := key.(*rsa.PublicKey); ok {
		return public.N.BitLen()
	}
	return 0
}
