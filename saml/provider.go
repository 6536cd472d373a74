package saml

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ServiceProvider is one SAML service provider with all its ACS URLs. It is
// safe for concurrent use. What can change at run time, the list of ACS URLs
// and the identity provider's metadata, is replaced whole.
type ServiceProvider struct {
	cfg Config // validated; its ACS is only the first list

	acs atomic.Pointer[acsList]

	mu      sync.Mutex        // held while acs is replaced; guards retired
	retired map[uint16]string // every explicit index ever given out, and its URL

	deflaters sync.Pool // of *flate.Writer, for HTTP-Redirect
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

// EntityID is the name of this service provider.
func (sp *ServiceProvider) EntityID() string { return sp.cfg.EntityID }

// Now is the time by Config.Now.
func (sp *ServiceProvider) Now() time.Time { return sp.cfg.Now() }

// Skew is how far clocks may be apart.
func (sp *ServiceProvider) Skew() time.Duration { return sp.cfg.Skew }

// ACS is the ordered list as it stands now, with every Index filled in. The
// first is the default.
func (sp *ServiceProvider) ACS() []Endpoint { return sp.acs.Load().snapshot() }

// AppendACS adds URLs at the end of the list, for one more Region. Those that are
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
	return sp.swapACS(next, false)
}

// ReplaceACS puts a new ordered list in the old one's place. It refuses a list
// that begins with another URL, because that would move IdP-initiated sign-in,
// and an explicit index that stood for another URL before. Requests under way to
// a URL that leaves the list can no longer be answered.
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
	return sp.swapACS(next, mayReplaceDefault)
}

// swapACS makes next the current list if it may follow. The caller holds mu.
func (sp *ServiceProvider) swapACS(next *acsList, mayReplaceDefault bool) error {
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
