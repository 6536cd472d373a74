package saml

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ServiceProvider is one SAML service provider with all its ACS URLs. It is safe for
// concurrent use. The list of ACS URLs and the identity provider's metadata can
// change at run time. Each is replaced as a whole.
type ServiceProvider struct {
	cfg Config // validated; its ACS is the initial list

	acs    atomic.Pointer[acsList]
	logout atomic.Pointer[logoutList]

	mu      sync.Mutex       // held while acs or logout is replaced; guards retired
	retired map[uint16]place // every explicit index ever used, and what it is of

	signed signedMetadata

	deflaters sync.Pool // of *flate.Writer, for HTTP-Redirect
}

// New validates a configuration and returns its service provider. The error is
// a [*Error] with ReasonConfig or ReasonKey that names the field.
func New(cfg Config) (*ServiceProvider, error) {
	list, err := newACSList(cfg.ACS, cfg.InsecureAllowHTTP)
	if err != nil {
		return nil, err
	}
	for _, check := range []func() error{
		cfg.setDefaults, cfg.checkKey, cfg.checkDecryptionKeys, cfg.checkCertificates, cfg.checkDiscovery,
		cfg.checkAbout,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	if err := cfg.checkArtifacts(list); err != nil {
		return nil, err
	}
	cfg.NameIDFormats = slices.Clone(cfg.NameIDFormats)
	cfg.SPNameQualifiers = slices.Clone(cfg.SPNameQualifiers)
	cfg.DecryptionKeys = slices.Clone(cfg.DecryptionKeys)
	cfg.DiscoveryResponses = slices.Clone(cfg.DiscoveryResponses)
	cfg.RequestInitiators = slices.Clone(cfg.RequestInitiators)
	sp := &ServiceProvider{cfg: cfg, retired: make(map[uint16]place)}
	logout, err := cfg.newLogoutList(cfg.Logout)
	if err != nil {
		return nil, err
	}
	sp.logout.Store(logout)
	sp.install(list)
	return sp, nil
}

// EntityID returns the name of this service provider.
func (sp *ServiceProvider) EntityID() string { return sp.cfg.EntityID }

// About returns what Config.About says about this service provider.
func (sp *ServiceProvider) About() About { return sp.cfg.About.clone() }

// HasIdPs reports whether Config.IdPs is set, so that assertions can be of any of
// several identity providers. The caller must then tell their users apart: the same
// NameID of another one is another user.
func (sp *ServiceProvider) HasIdPs() bool { return sp.cfg.IdPs != nil }

// Now returns the current time, from Config.Now.
func (sp *ServiceProvider) Now() time.Time { return sp.cfg.Now() }

// Skew returns Config.Skew or its default.
func (sp *ServiceProvider) Skew() time.Duration { return sp.cfg.Skew }

// MaxAge returns Config.MaxAge or its default. Verify accepts an assertion until that long after its IssueInstant, plus
// Skew, at the latest.
func (sp *ServiceProvider) MaxAge() time.Duration { return sp.cfg.MaxAge }

// ACS returns the current ordered list, with every Index set. The first is the
// default.
func (sp *ServiceProvider) ACS() []Endpoint { return sp.acs.Load().snapshot() }

// AppendACS appends URLs to the list, such as those of a new Region. The URLs in the
// list keep their positions and indexes. If indexes are explicit, an endpoint
// without one gets the next that was never used. AppendACS refuses what ReplaceACS
// refuses, and a URL that is listed already.
func (sp *ServiceProvider) AppendACS(more ...Endpoint) error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.swapACS(sp.acs.Load().with(more, sp.retired), false)
}

// ReplaceACS replaces the ordered list. It refuses a list that begins with another
// URL, because that would move IdP-initiated sign-in, and an explicit index that was
// given to another URL or binding before. After a URL leaves the list, responses to its pending
// requests are refused.
func (sp *ServiceProvider) ReplaceACS(list []Endpoint) error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.swapACS(list, false)
}

// ReplaceDefaultACS is [ServiceProvider.ReplaceACS] for a list that may begin
// with another URL. Change the identity provider's app at the same time.
func (sp *ServiceProvider) ReplaceDefaultACS(list []Endpoint) error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.swapACS(list, true)
}

// swapACS replaces the current list. The caller holds mu.
func (sp *ServiceProvider) swapACS(list []Endpoint, mayReplaceDefault bool) error {
	next, err := newACSList(list, sp.cfg.InsecureAllowHTTP)
	if err != nil {
		return err
	}
	if err := sp.cfg.checkArtifacts(next); err != nil {
		return err
	}
	if err := sp.acs.Load().checkSuccessor(next, sp.retired, mayReplaceDefault); err != nil {
		return err
	}
	sp.install(next)
	return nil
}

// install makes list the current one. The caller holds mu, or is New.
func (sp *ServiceProvider) install(list *acsList) {
	for index, of := range list.places() {
		sp.retired[index] = of
	}
	sp.acs.Store(list)
}
