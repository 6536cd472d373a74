package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"time"
)

// Config describes a service provider. It is validated and copied by [New].
type Config struct {
	// EntityID names this service provider, in every Region: it is the
	// Audience that assertions must name, and the Issuer of our requests. A
	// URI of at most 1024 characters (Core 8.3.6). Required.
	EntityID string

	// ACS is the ordered list of assertion consumer service URLs. The first is
	// the default, whatever its Index: identity providers send IdP-initiated
	// sign-ins there, so list the primary Region's URL first and keep the order
	// the same as in the identity provider's app. Required.
	ACS []Endpoint

	// IdP is where the identity provider's metadata comes from: an [*IdP]
	// that stays as it is, a [*SwappableIdP], or a source of your own. One
	// verification asks it once. Required.
	IdP IdPSource

	// NameIDFormats is what our metadata offers, in order of preference. Empty:
	// the metadata names none, and the identity provider decides.
	NameIDFormats []string

	// Key signs our AuthnRequests where SignRequests or the identity
	// provider's metadata asks for it: RSA of at least 2048 bits, or ECDSA on
	// P-256, P-384 or P-521. Its certificate is published in our metadata as
	// the signing KeyDescriptor. Nil: requests are not signed.
	Key crypto.Signer
	// Certificate carries Key's public half. Required with Key. An identity
	// provider that follows the metadata interoperability profile does not check
	// its dates.
	Certificate *x509.Certificate
	// SignRequests signs every AuthnRequest and says so in our metadata. False:
	// only where the identity provider's metadata wants it.
	SignRequests bool

	// DecryptionKeys open what the identity provider encrypts to us: RSA keys of
	// at least 2048 bits, at most eight. The first is the current one; the others
	// are tried after it, which is how a key is replaced: put the new one first
	// and leave the old one until every identity provider has the new
	// certificate. A key may live in hardware: it is asked with [rsa.OAEPOptions],
	// with InsecureAllowRSA15 also with [rsa.PKCS1v15DecryptOptions], by several
	// goroutines at once. Empty: what is encrypted is refused.
	DecryptionKeys []crypto.Decrypter
	// EncryptionCertificate carries the public half of the first of
	// DecryptionKeys, and is published in our metadata as the encryption
	// KeyDescriptor. Nil: none is published, and identity providers that go by
	// our metadata don't encrypt.
	EncryptionCertificate *x509.Certificate

	// WantAssertionsSigned refuses an assertion that carries no signature of its
	// own, also inside a signed Response. False: the Response's signature is
	// enough. Our metadata says which (WantAssertionsSigned, Metadata 2.4.4).
	WantAssertionsSigned bool
	// WantResponsesSigned refuses a Response that is not signed itself, however
	// its assertion is signed. What stands beside the assertion (Status,
	// Destination) is then proved too, and encrypted assertions may use AES-CBC.
	// Metadata has no attribute for it. False: the assertion's signature is enough.
	WantResponsesSigned bool

	// MetadataCacheDuration is the cacheDuration of our metadata: for how long
	// an identity provider may use its copy before it reads it again. In whole
	// seconds. Zero: 24 h.
	MetadataCacheDuration time.Duration
	// MetadataValidity is how long our metadata is valid, from the moment that
	// it is written (validUntil). Identity providers refuse to use it afterwards,
	// so set it only where they fetch it again by themselves. In whole seconds.
	// Zero: no end.
	MetadataValidity time.Duration

	// ACSByIndex names the ACS in a request by its index instead of its URL.
	// False: by URL, which every identity provider knows. A request never
	// carries both (Core 3.4.1).
	ACSByIndex bool

	// Skew is how far two clocks may be apart. It is applied once to every
	// instant. Zero: 180 s. At most 5 min.
	Skew time.Duration
	// MaxAge bounds how long after its IssueInstant an assertion can be used,
	// however long it claims to be valid. Zero: 1 h.
	MaxAge time.Duration
	// MaxAuthnAge bounds how long ago the person may have authenticated at the
	// identity provider. Zero: no bound, which is what single sign-on is for.
	MaxAuthnAge time.Duration

	// AllowMissingNameID accepts an assertion without a NameID.
	// Then identify people by an attribute, and check that it is there.
	AllowMissingNameID bool

	// InsecureAllowSHA1 accepts signatures and digests made with SHA-1, for
	// which collisions can be made. For old captures, not for sign-in.
	InsecureAllowSHA1 bool
	// InsecureAllowRSA1024 accepts RSA keys from 1024 bits on, the identity
	// provider's for signatures and ours for decryption. Zero: 2048.
	InsecureAllowRSA1024 bool
	// InsecureAllowUnauthenticatedCBC accepts AES-CBC where no verified signature
	// is around the ciphertext. An attacker who has a user's encrypted assertion
	// can then send changed copies, and learn what it says from how long each
	// takes to be refused. CBC inside a signed Response needs no field.
	InsecureAllowUnauthenticatedCBC bool
	// InsecureAllowRSA15 accepts RSA 1.5 key transport, which has been broken
	// again and again. The same key then also serves to attack what was
	// encrypted to it with RSA-OAEP.
	InsecureAllowRSA15 bool
	// InsecureAllowHTTP accepts plain-http ACS URLs of hosts that are not
	// loopback: an attacker on the network can then read and use an assertion. For
	// judging captures, not for sign-in.
	InsecureAllowHTTP bool
	// InsecureAllowExpiredMetadata goes on using identity provider metadata
	// that is past its validUntil.
	InsecureAllowExpiredMetadata bool

	// Limits bounds the work on a message before anything in it is verified.
	Limits Limits

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Rand is the source of request IDs, of signature randomness, and of the
	// keys that stand in for one that can't be unwrapped.
	// Nil: crypto/rand.Reader.
	Rand io.Reader
}

const (
	defaultSkew   = 180 * time.Second
	maxSkew       = 5 * time.Minute
	defaultMaxAge = time.Hour
	defaultCache  = 24 * time.Hour
	minRSABits    = 2048
	weakRSABits   = 1024
	maxEntityID   = 1024
)

func (cfg *Config) setDefaults() error {
	switch {
	case cfg.EntityID == "":
		return configError("Config.EntityID", "is required", nil)
	case len(cfg.EntityID) > maxEntityID:
		return configError("Config.EntityID", fmt.Sprintf("at most %d characters (Core 8.3.6), got %d", maxEntityID, len(cfg.EntityID)), nil)
	case !writable(cfg.EntityID):
		return configError("Config.EntityID", quote(cfg.EntityID)+" can't be written in XML", nil)
	case slices.ContainsFunc(cfg.NameIDFormats, func(f string) bool { return !writable(f) }):
		return configError("Config.NameIDFormats", "one can't be written in XML", nil)
	case cfg.IdP == nil || cfg.IdP.IdP() == nil:
		return configError("Config.IdP", "is required, and must not give nil", nil)
	case cfg.Skew < 0 || cfg.Skew > maxSkew:
		return configError("Config.Skew", fmt.Sprintf("from 0 to %v, got %v", maxSkew, cfg.Skew), nil)
	case cfg.MaxAge < 0:
		return configError("Config.MaxAge", fmt.Sprintf("can't be negative, got %v", cfg.MaxAge), nil)
	case cfg.MaxAuthnAge < 0:
		return configError("Config.MaxAuthnAge", fmt.Sprintf("can't be negative, got %v", cfg.MaxAuthnAge), nil)
	case cfg.MetadataCacheDuration < 0 || cfg.MetadataCacheDuration%time.Second != 0:
		return configError("Config.MetadataCacheDuration", fmt.Sprintf("whole seconds, not negative, got %v", cfg.MetadataCacheDuration), nil)
	case cfg.MetadataValidity < 0 || cfg.MetadataValidity%time.Second != 0:
		return configError("Config.MetadataValidity", fmt.Sprintf("whole seconds, not negative, got %v", cfg.MetadataValidity), nil)
	}
	if cfg.MetadataCacheDuration == 0 {
		cfg.MetadataCacheDuration = defaultCache
	}
	if cfg.Skew == 0 {
		cfg.Skew = defaultSkew
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = defaultMaxAge
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return cfg.Limits.setDefaults()
}

func (cfg *Config) checkKey() error {
	if cfg.Key == nil {
		if cfg.SignRequests {
			return configError("Config.SignRequests", "needs Config.Key", nil)
		}
		return nil
	}
	if cfg.Certificate == nil {
		return configError("Config.Certificate", "is required with Config.Key", nil)
	}
	public, ok := cfg.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cfg.Certificate.PublicKey) {
		return configError("Config.Certificate", "is not the certificate of Config.Key", nil)
	}
	switch key := cfg.Key.Public().(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return &Error{Reason: ReasonKey, Rule: "Config.Key", Want: fmt.Sprintf("at least %d bits", minRSABits), Got: fmt.Sprintf("%d bits", key.N.BitLen())}
		}
	case *ecdsa.PublicKey:
		if _, ok := ecdsaMethods[key.Curve.Params().BitSize]; !ok {
			return &Error{Reason: ReasonKey, Rule: "Config.Key", Want: "P-256, P-384 or P-521", Got: key.Curve.Params().Name}
		}
	default:
		return &Error{Reason: ReasonKey, Rule: "Config.Key", Want: "an RSA or ECDSA key", Got: fmt.Sprintf("%T", key)}
	}
	return nil
}

func (cfg *Config) minRSABits() int {
	if cfg.InsecureAllowRSA1024 {
		return weakRSABits
	}
	return minRSABits
}
