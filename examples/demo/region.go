package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// places are the Regions of the demo, the primary first, in the order of the service provider's ACS URLs. The third is
// for -processes.
var places = []struct {
	corp.Place
	Port int
}{
	{corp.Virginia, 8711},
	{corp.Frankfurt, 8712},
	{corp.Sydney, 8713},
}

// site is a Region's address and the Region that runs there, if it is added and not stopped.
type site struct {
	corp.Place
	url              string                // of its portal, without a slash at the end
	acs              string                // its assertion consumer service
	wire             string                // a directory for the bytes of its connections to other Regions
	dir              string                // its replica's
	audit            string                // its events'
	*loopback.Server                       // runs from the start
	store            acs.Store             // kept until the program ends
	port             int                   // of its portal
	listen           int                   // the replica's port; 0: any
	restore          func(*replica.Config) // restores a backup at the start; nil: none

	process *process // nil if it has none; otherwise the rest is not used

	mu   sync.Mutex
	runs *region.Region // nil while it is stopped or not added; guarded by mu
	addr string         // of its replica, also when it is stopped; "" if not added; guarded by mu
	// removed: it was added and removed, and its directory has what that left; guarded by mu
	removed bool
}

func newSite(p corp.Place, port int, dir string) *site {
	u := loopback.Origin(p.Host(), port)
	return &site{
		Place: p, url: u, acs: region.ACS(u), dir: filepath.Join(dir, p.Name), port: port,
		wire: filepath.Join(dir, "wire-"+p.Name), audit: filepath.Join(dir, "audit-"+p.Name),
		store: acs.NewMemoryStore(acs.MemoryConfig{}),
	}
}

// running returns the Region that runs here, or nil.
func (s *site) running() *region.Region {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// added reports whether the Region was ever opened here.
func (s *site) added() bool { return s.replica() != "" }

// replica returns the address of its replica, also when it is stopped.
func (s *site) replica() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	runs := s.running()
	switch {
	case runs != nil && isAPI(r):
		runs.API().ServeHTTP(w, r)
		return
	case runs != nil:
		runs.ServeHTTP(w, r)
		return
	}
	region.NotYet(w, s.Name+" is not a Region of the instance. Extend to it on the demo's control page.")
}

// view returns the Region's view of the instance, or nil.
func (s *site) view() *center.View {
	if runs := s.running(); runs != nil {
		return runs.View()
	}
	return nil
}

// open opens the Region, and connects its replica with those of the others.
func (w *world) open(s *site) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs != nil {
		return nil
	}
	aws, err := w.forAWS(s)
	if err != nil {
		return err
	}
	cfg := region.Config{
		AWS: aws, Place: s.Place, Primary: w.sites[0].Name, Origin: s.url, SP: w.sp, Store: s.store,
		Dir: s.dir, Listen: loopback.Address(s.listen), Secret: w.secret, Peers: map[string]string{},
		Replica: s.restore, Places: w.places(s), Logger: w.logger, OnVerdict: w.signIns.verdict, OnSignIn: w.signIns.portal,
	}
	entries := []center.Region{region.Entry(s.Place, s.url, center.RegionActive)}
	var others []*region.Region // that run
	for _, o := range w.sites {
		if o == s {
			continue
		}
		// A stopped Region is a peer too.
		if addr := o.replica(); addr != "" {
			cfg.Peers[o.Name] = addr
			entries = append(entries, region.Entry(o.Place, o.url, center.RegionAdding)) // until it is replicated
		}
		if runs := o.running(); runs != nil {
			others = append(others, runs)
		}
	}
	if s == w.sites[0] {
		cfg.Seed, cfg.Admin = corp.Company(entries...), w.regionAdmin
		cfg.Seed.Instance = w.instance()
	}
	if s.removed { // it begins again, and others may know it from before
		cfg.Replica = func(c *replica.Config) { c.Restored = true }
		if err := os.RemoveAll(s.dir); err != nil {
			return err
		}
	}
	if cfg.Sealer, err = w.keyring.Sealer(s.Name); err != nil {
		return err
	}
	cfg.Audit = &audit.Config{Dir: s.audit, Keys: []*audit.KeyUse{w.keyring.Uses[s.Name]}}
	if w.record {
		tap := sealed.Tap{Dir: s.wire}
		if err := os.MkdirAll(tap.Dir, 0o700); err != nil {
			return err
		}
		cfg.Dial = []nats.Option{nats.SetCustomDialer(tap)}
	}
	runs, err := region.Open(w.ctx, cfg)
	if err != nil {
		return err
	}
	for _, o := range others {
		if err := o.Follow(w.ctx, s.Name, runs.Addr()); err != nil {
			runs.Close()
			return err
		}
	}
	s.runs, s.addr, s.removed = runs, runs.Addr(), false
	return nil
}

// start starts a Region again, at the same address and with its data on disk.
func (w *world) start(s *site) error {
	w.acts.Lock()
	defer w.acts.Unlock()
	if !s.added() {
		return errors.New(s.Name + " is not a Region of the instance yet: extend to it first")
	}
	if err := s.Start(); err != nil {
		return err
	}
	if err := w.open(s); err != nil {
		s.Stop()
		return err
	}
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second) // far more than a start needs
	defer cancel()
	return s.running().Wait(ctx)
}

// stop simulates an outage of a Region: the server, all connections and the replica end without notice to the others.
func (w *world) stop(s *site) error {
	w.acts.Lock()
	defer w.acts.Unlock()
	if !s.added() {
		return errors.New(s.Name + " is not a Region of the instance yet, so there is nothing to stop")
	}
	s.end()
	return nil
}

func (s *site) end() {
	if s.Server != nil {
		s.Stop()
	}
	if s.process != nil {
		s.process.end()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs != nil {
		s.runs.Close()
		s.runs = nil
	}
}
