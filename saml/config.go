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
	"sync"
	"sync/atomic"
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
	// Certificate carries Key's public half. Required with Key. Its dates are
	// not checked by anybody who follows the metadata interoperability profile.
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

	// AllowMissingNameID accepts an assertion that identifies nobody by NameID.
	// Then identify people by an attribute, and check that it is there.
	AllowMissingNameID bool

	// InsecureAllowSHA1 accepts signatures and digests made with SHA-1, for
	// which collisions can be made. For old captures, not for sign-in.
	InsecureAllowSHA1 bool
	// InsecureAllowRSA1024 accepts RSA keys from 1024 bits on, the identity
	// provider's for signatures and ours for decryption. Zero: 2048.
	InsecureAllowRSA1024 bool
	// InsecureAllowUnauthenticatedCBC accepts AES-CBC where no verified signature
	// is around the ciphertext. Whoever has somebody's encrypted assertion can
	// then send changed copies, and learn what it says from how long each takes
	// to be refused. CBC inside a signed Response needs no field.
	InsecureAllowUnauthenticatedCBC bool
	// InsecureAllowRSA15 accepts RSA 1.5 key transport, which has been broken
	// again and again. The same key then also serves to attack what was
	// encrypted to it with RSA-OAEP.
	InsecureAllowRSA15 bool
	// InsecureAllowHTTP accepts plain-http ACS URLs of hosts that are not
	// loopback: whoever is on the way can then read and use an assertion. For
	// judging captures, not for sign-in.
	InsecureAllowHTTP bool
	// InsecureAllowExpiredMetadata goes on using identity provider metadata
	// that is past its validUntil.
	InsecureAllowExpiredMetadata bool

	// Limits bounds the work on a message that nobody has vouched for yet.
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
	minRSABits    = 2048
	weakRSABits   = 1024
	maxEntityID   = 1024
)

// ServiceProvider is one SAML service provider with all its ACS URLs. It is
// safe for concurrent use. What can change at run time, the list of ACS URLs
// and the identity provider's metadata, is replaced whole.
type ServiceProvider struct {
	cfg Config // validated; its ACS is only the first list

	acs atomic.Pointer[acsList]

	mu      sync.Mutex        // held while acs is replaced; guards retired
	retired map[uint16]string // every explicit index ever given out, and its URL
}

// New validates a configuration and makes the service provider that it
// describes. The error is a [*Error] with ReasonConfig or ReasonKey that names
// the field.
func New(cfg Config) (*ServiceProvider, error) {
	list, err := newACSList(cfg.ACS, cfg.InsecureAllowHTTP)
	if err != nil {
		return nil, err
	}
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	if err := cfg.checkKey(); err != nil {
		return nil, err
	}
	if err := cfg.checkDecryptionKeys(); err != nil {
		return nil, err
	}
	cfg.NameIDFormats = slices.Clone(cfg.NameIDFormats)
	cfg.DecryptionKeys = slices.Clone(cfg.DecryptionKeys)
	sp := &ServiceProvider{cfg: cfg, retired: make(map[uint16]string)}
	sp.install(list)
	return sp, nil
}

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

// EntityID is the name of this service provider.
func (sp *ServiceProvider) EntityID() string { return sp.cfg.EntityID }

// Now is the time by Config.Now.
func (sp *ServiceProvider) Now() time.Time { return sp.cfg.Now() }

// Skew is how far clocks may be apart.
func (sp *ServiceProvider) Skew() time.Duration { return sp.cfg.Skew }

// ACS is the ordered list as it stands now, with every Index filled in. The
// first is the default.
func (sp *ServiceProvider) ACS() []Endpoint { return sp.acs.Load().snapshot() }

// AppendACS adds URLs at the end of the list: a Region more. Those that are
// there keep their places and indexes. Where indexes are explicit, an endpoint
// without one gets the next that was never used. It refuses what ReplaceACS
// does, and a URL that is listed already.
func (sp *ServiceProvider) AppendACS(more ...Endpoint) error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	next, err := newACSList(sp.acs.Load().with(more, sp.retired), sp.cfg.InsecureAllowHTTP)
	if err != nil {
		return err
	}
	return sp.succeed(next, false)
}

// ReplaceACS puts a new ordered list in the old one's place. It refuses a list that begins with another URL,
// because that would move IdP-initiated sign-in, and an explicit index that
// stood for another URL before. Requests under way to a URL that leaves the
// list can no longer be answered.
func (sp *ServiceProvider) ReplaceACS(list []Endpoint) error { return sp.replace(list, false) }

// ReplaceDefaultACS is [ServiceProvider.ReplaceACS] for a list that may begin
// with another URL. Change the identity provider's app at the same time.
func (sp *ServiceProvider) ReplaceDefaultACS(list []Endpoint) error { return sp.replace(list, true) }

func (sp *ServiceProvider) replace(list []Endpoint, mayReplaceDefault bool) error {
	next, err := newACSList(list, sp.cfg.InsecureAllowHTTP)
	if err != nil {
		return err
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.succeed(next, mayReplaceDefault)
}

// succeed makes next the current list if it may follow. The caller holds mu.
func (sp *ServiceProvider) succeed(next *acsList, mayReplaceDefault bool) error {
	if err := sp.acs.Load().successor(next, sp.retired, mayReplaceDefault); err != nil {
		return err
	}
	sp.install(next)
	return nil
}

// install makes list the current one. The caller holds mu, or is New.
func (sp *ServiceProvider) install(list *acsList) {
	if list.fixed {
		for _, e := range list.all {
			sp.retired[*e.Index] = e.URL
		}
	}
	sp.acs.Store(list)
}
