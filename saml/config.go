package saml

import (
	"cmp"
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

// Config describes a service provider. [New] validates and copies it.
type Config struct {
	// EntityID is the name of this service provider in every Region. Assertions must
	// have it as their Audience, and our requests have it as their Issuer. It is a
	// URI of at most 256 characters (SAML V2.0 Deployment Profile for Federation
	// Interoperability, SDP-G04). Required.
	EntityID string

	// ACS is the ordered list of assertion consumer service URLs. The first is
	// the default, whatever its Index: identity providers send IdP-initiated
	// sign-ins there. List the primary Region's URL first, and keep the same order
	// in the identity provider's app. Required.
	ACS []Endpoint

	// Logout is the list of single logout URLs, one for each Region, in the order of ACS. The first is in our metadata,
	// for HTTP-Redirect and HTTP-POST, so identity providers send all logout messages to it; a response that belongs to
	// another Region is sent on there. While that Region is lost, no logout of an identity provider arrives. It needs
	// Key. Empty: no single logout.
	Logout []LogoutEndpoint
	// LogoutURL is in our metadata instead of the first of Logout: an address that leads to any Region that is up. Every
	// Region accepts it as Destination. Empty: the first of Logout.
	LogoutURL string
	// LogoutSOAP accepts LogoutRequests by SOAP and adds that binding to our metadata, at the same URL: identity
	// providers can then end sessions without the browser. Such a request need not have a Destination (Bindings 3.2),
	// and without one, another service provider of the same identity provider that got it can send it on to us.
	LogoutSOAP bool

	// IdP is the source of the identity provider's metadata: an [*IdP], which never
	// changes, a [*SwappableIdP], or a source of your own. Each verification calls
	// it once. Either IdP or IdPs is required.
	IdP IdPSource
	// IdPs finds the identity providers of a service provider that has several. Each
	// request is made to one of them ([RequestOptions].IdP), and only that one can
	// answer it. If unsolicited responses are accepted, any of them may send one:
	// see [IdPPolicy]. No request is sent to one whose address has the origin of an ACS
	// URL.
	IdPs IdPs

	// NameIDFormats lists the formats in our metadata, in order of preference.
	// Empty: none, and the identity provider decides.
	NameIDFormats []string
	// SPNameQualifiers are the entity IDs of the affiliations of service providers that
	// this one is a member of (Metadata 2.5). A NameID may be in the namespace of one
	// (Core 8.3.7): see NameIDPolicy.SPNameQualifier. The same Value in two namespaces
	// can be two users, so store the SPNameQualifier with it. Empty: only our own.
	SPNameQualifiers []string

	// Key signs our AuthnRequests if SignRequests is set or the identity provider's
	// metadata requires it, and every logout message and ArtifactResolve: RSA of at
	// least 2048 bits, or ECDSA on P-256, P-384 or P-521. Our metadata has its
	// certificate as the signing KeyDescriptor. Nil: requests are not signed.
	Key crypto.Signer
	// Certificate has the public key of Key. Required with Key. An identity provider
	// that follows the metadata interoperability profile ignores its dates.
	Certificate *x509.Certificate
	// OtherCertificates are also in our metadata, for signing, after Certificate. To
	// replace Key, first publish the certificate of the next key here, until every
	// identity provider has it. Then make it Key and Certificate, and publish the old one
	// here until every node signs with the new key (acs/ROLLOVER.md). Empty: none. At
	// most eight.
	OtherCertificates []*x509.Certificate
	// SignRequests signs every AuthnRequest, and sets AuthnRequestsSigned in our
	// metadata. False: requests are signed only if the identity provider's metadata
	// requires it.
	SignRequests bool

	// SignMetadata signs our metadata with Key. An identity provider that pins
	// Certificate can then fetch it over any channel. Also set MetadataValidity, or an
	// attacker can replay old metadata forever. False: not signed.
	SignMetadata bool

	// DecryptionKeys decrypt encrypted assertions, NameIDs and attributes: RSA keys
	// of at least 2048 bits, at most eight. They are tried in order. To replace a
	// key, first add the new one as the last on every node of every Region. Then put it
	// first, with its certificate, and keep the old one until every identity provider
	// has that (acs/ROLLOVER.md). A key may be in hardware: its Decrypt method is
	// called with [rsa.OAEPOptions], with InsecureAllowRSA15 also with
	// [rsa.PKCS1v15DecryptOptions], by several goroutines at once. Empty: an
	// encrypted assertion is refused.
	DecryptionKeys []crypto.Decrypter
	// EncryptionCertificate has the public key of DecryptionKeys[0]. Our metadata
	// has it as the encryption KeyDescriptor. Nil: our metadata has none, and
	// identity providers that follow it don't encrypt.
	EncryptionCertificate *x509.Certificate
	// OtherEncryptionCertificates are also in our metadata, for encryption, after
	// EncryptionCertificate. Each has the public key of another one of DecryptionKeys.
	// An identity provider may encrypt to any of them. Replacing a key doesn't need it.
	// Empty: none.
	OtherEncryptionCertificates []*x509.Certificate

	// WantAssertionsSigned refuses an assertion without its own signature, even in a
	// signed Response. False: the signature of the Response is enough. Our metadata
	// has the attribute of that name (Metadata 2.4.4).
	WantAssertionsSigned bool
	// WantResponsesSigned refuses an unsigned Response, even if its assertion is
	// signed. The signature then covers Status and Destination too, and encrypted
	// assertions may use AES-CBC. Metadata has no attribute for it. False: the
	// signature of the assertion is enough.
	WantResponsesSigned bool

	// MetadataCacheDuration is the cacheDuration of our metadata: how long an
	// identity provider may use its copy before it fetches it again. In whole
	// seconds. Zero: 24 h.
	MetadataCacheDuration time.Duration
	// MetadataValidity is how long our metadata is valid after it is written
	// (validUntil). Identity providers refuse it afterwards, so set this only if
	// they fetch it regularly. In whole seconds. Zero: no validUntil.
	MetadataValidity time.Duration

	// DiscoveryResponses are the URLs at which discovery services may send a user's
	// choice: acs.Config.DiscoveredPath on the host of each ACS URL. They are in our
	// metadata, which discovery services read. Empty: none.
	DiscoveryResponses []string
	// RequestInitiators are the URLs at which other programs may begin a sign-in, such
	// as the login page of each Region. They are in our metadata. Empty: none.
	RequestInitiators []string

	// About describes this service provider to users and operators, in our metadata.
	// Its zero value: nothing.
	About About
	// EntityAttributes are in our metadata, such as entity categories and Sirtfi's
	// assurance certification. A federation may require to add some itself. Empty: none.
	EntityAttributes []EntityAttribute
	// AttributeConsumingServices list in our metadata the attributes that we need. The
	// first is the default. Empty: none, and the identity provider decides.
	AttributeConsumingServices []AttributeConsumingService

	// ACSByIndex names the ACS in a request by its index instead of its URL. False:
	// by URL, which every identity provider supports. A request never carries both
	// (Core 3.4.1).
	ACSByIndex bool

	// Skew is how much two clocks may differ. It is applied once to every instant.
	// Zero: 180 s. At most 5 min.
	Skew time.Duration
	// MaxAge bounds how long after its IssueInstant an assertion is accepted, even
	// if it is valid for longer. Zero: 1 h.
	MaxAge time.Duration
	// MaxAuthnAge bounds how long ago the user may have authenticated at the
	// identity provider. Zero: no bound, as usual for single sign-on.
	MaxAuthnAge time.Duration

	// AllowMissingNameID accepts an assertion without a NameID. Then identify
	// users by an attribute, and check that it is not empty.
	AllowMissingNameID bool

	// InsecureAllowSHA1 accepts signatures and digests made with SHA-1, for which
	// collisions can be found. For old captures, not for sign-in.
	InsecureAllowSHA1 bool
	// InsecureAllowRSA1024 accepts RSA keys of 1024 bits or more, both the identity
	// provider's for signatures and ours for decryption. False: 2048 bits or more.
	InsecureAllowRSA1024 bool
	// InsecureAllowUnauthenticatedCBC accepts AES-CBC where no verified signature
	// covers the ciphertext. An attacker who has a user's encrypted assertion can
	// then send changed copies, and learn the plaintext from the duration of each
	// refusal. CBC in a signed Response is accepted without this field.
	InsecureAllowUnauthenticatedCBC bool
	// InsecureAllowRSA15 accepts RSA 1.5 key transport, which has been broken
	// repeatedly. An attacker can then also use the same key to decrypt messages
	// that were encrypted to it with RSA-OAEP.
	InsecureAllowRSA15 bool
	// InsecureAllowHTTP accepts plain-http ACS URLs of hosts that are not loopback.
	// An attacker on the network can then read and use an assertion. For captured
	// responses, not for sign-in.
	InsecureAllowHTTP bool
	// InsecureAllowExpiredMetadata uses identity provider metadata that is past its
	// validUntil.
	InsecureAllowExpiredMetadata bool

	// Limits bounds the work on an unverified message.
	Limits Limits

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Rand is the source of randomness for request IDs, for signatures, and for the
	// random keys that replace keys that can't be unwrapped. Nil:
	// crypto/rand.Reader.
	Rand io.Reader
}

const (
	defaultSkew   = 180 * time.Second
	maxSkew       = 5 * time.Minute
	defaultMaxAge = time.Hour
	defaultCache  = 24 * time.Hour
	minRSABits    = 2048
	weakRSABits   = 1024
	maxEntityID   = 1024 // of an identity provider (Core 8.3.6)
	maxOwnID      = 256  // SDP-G04

	maxDecryptionKeys = 8 // more than any rollover needs
	maxCertificates   = 8
)

func (cfg *Config) setDefaults() error {
	unwritable := func(s string) bool { return !writable(s) }
	switch {
	case cfg.EntityID == "":
		return configError("Config.EntityID", "is required")
	case len(cfg.EntityID) > maxOwnID:
		return configError("Config.EntityID", "at most %d characters (SDP-G04), got %d", maxOwnID, len(cfg.EntityID))
	case !writable(cfg.EntityID):
		return configError("Config.EntityID", "%s can't be written in XML", quote(cfg.EntityID))
	case slices.ContainsFunc(cfg.NameIDFormats, unwritable):
		return configError("Config.NameIDFormats", "has a value that can't be written in XML")
	case slices.ContainsFunc(cfg.SPNameQualifiers, func(s string) bool { return !isText(s) || len(s) > maxEntityID }):
		return configError("Config.SPNameQualifiers", "has a value that is empty, too long or can't be written in XML")
	case cfg.IdP != nil && cfg.IdPs != nil:
		return configError("Config.IdPs", "excludes Config.IdP")
	case cfg.IdPs == nil && (cfg.IdP == nil || cfg.IdP.IdP() == nil):
		return configError("Config.IdP", "is required without Config.IdPs, and must not return nil")
	case cfg.Skew < 0 || cfg.Skew > maxSkew:
		return configError("Config.Skew", "from 0 to %v, got %v", maxSkew, cfg.Skew)
	case cfg.MaxAge < 0:
		return configError("Config.MaxAge", "can't be negative, got %v", cfg.MaxAge)
	case cfg.MaxAuthnAge < 0:
		return configError("Config.MaxAuthnAge", "can't be negative, got %v", cfg.MaxAuthnAge)
	case cfg.MetadataCacheDuration < 0 || cfg.MetadataCacheDuration%time.Second != 0:
		cache := cfg.MetadataCacheDuration
		return configError("Config.MetadataCacheDuration", "whole seconds, not negative, got %v", cache)
	case cfg.MetadataValidity < 0 || cfg.MetadataValidity%time.Second != 0:
		return configError("Config.MetadataValidity", "whole seconds, not negative, got %v", cfg.MetadataValidity)
	}
	cfg.MetadataCacheDuration = cmp.Or(cfg.MetadataCacheDuration, defaultCache)
	cfg.Skew = cmp.Or(cfg.Skew, defaultSkew)
	cfg.MaxAge = cmp.Or(cfg.MaxAge, defaultMaxAge)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return cfg.Limits.setDefaults()
}

func (cfg *Config) checkKey() error {
	switch {
	case cfg.Key == nil && cfg.SignRequests:
		return configError("Config.SignRequests", "needs Config.Key")
	case cfg.Key == nil && cfg.SignMetadata:
		return configError("Config.SignMetadata", "needs Config.Key")
	case cfg.Key == nil:
		return nil
	case cfg.Certificate == nil:
		return configError("Config.Certificate", "is required with Config.Key")
	}
	public, ok := cfg.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cfg.Certificate.PublicKey) {
		return configError("Config.Certificate", "is not the certificate of Config.Key")
	}
	return checkSigningKey("Config.Key", cfg.Key.Public())
}

func checkSigningKey(field string, public crypto.PublicKey) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return checkRSABits(field, key, minRSABits)
	case *ecdsa.PublicKey:
		if _, ok := ecdsaMethods[key.Curve.Params().BitSize]; !ok {
			return keyError(field, "P-256, P-384 or P-521", key.Curve.Params().Name)
		}
		return nil
	default:
		return keyError(field, "an RSA or ECDSA key", fmt.Sprintf("%T", key))
	}
}

// checkDecryptionKeys also checks that DecryptionKeys has the key of
// EncryptionCertificate.
func (cfg *Config) checkDecryptionKeys() error {
	keys, cert := cfg.DecryptionKeys, cfg.EncryptionCertificate
	if len(keys) > maxDecryptionKeys {
		return configError("Config.DecryptionKeys", "at most %d, got %d", maxDecryptionKeys, len(keys))
	}
	for i, key := range keys {
		field := fmt.Sprintf("Config.DecryptionKeys[%d]", i)
		if private, ok := key.(*rsa.PrivateKey); key == nil || ok && private == nil {
			return configError(field, "is nil")
		}
		public, ok := key.Public().(*rsa.PublicKey)
		if !ok || public == nil || public.N == nil {
			return keyError(field, "an RSA key", fmt.Sprintf("%T", key.Public()))
		}
		if err := checkRSABits(field, public, cfg.minRSABits()); err != nil {
			return err
		}
	}
	switch {
	case cert == nil:
		return nil
	case len(keys) == 0:
		return configError("Config.EncryptionCertificate", "needs Config.DecryptionKeys")
	case !keys[0].Public().(*rsa.PublicKey).Equal(cert.PublicKey):
		return configError("Config.EncryptionCertificate", "is not the certificate of Config.DecryptionKeys[0]")
	}
	return nil
}

func checkRSABits(field string, key *rsa.PublicKey, least int) error {
	if bits := key.N.BitLen(); bits < least {
		return keyError(field, fmt.Sprintf("at least %d bits", least), fmt.Sprintf("%d bits", bits))
	}
	return nil
}

func keyError(field, want, got string) *Error {
	return &Error{Reason: ReasonKey, Rule: field, Want: want, Got: got}
}

func (cfg *Config) minRSABits() int {
	if cfg.InsecureAllowRSA1024 {
		return weakRSABits
	}
	return minRSABits
}
