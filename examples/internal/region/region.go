// Package region is one Region of the examples: its replica of the instance, its portal and its application, started
// and stopped together.
package region

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/residency"
	"github.com/meridian-saml/meridian/saml"
)

// Config describes a Region.
type Config struct {
	Place   corp.Place
	Primary string // the primary Region's name
	Origin  string // of the portal
	// SP is the service provider, with the same configuration in every Region. When the Region is ready it has an
	// ACS here.
	SP *saml.ServiceProvider
	// Store is for sign-ins: an acs.MemoryStore, or a natsstore.Store with Sealer. Nil: in memory.
	Store acs.Store

	Dir    string      // the replica's, kept from one start to the next
	Listen string      // the replica's address
	Secret string      // shared by the Regions
	Seed   center.Data // the primary's initial data
	Peers  map[string]string
	// Sealer seals the Region's data. Required.
	Sealer replica.Sealer
	// Places are what the program keeps in the Region itself, such as the file of its keys.
	Places []residency.Place
	// Dial are options for the links to peers. Nil: none.
	Dial []nats.Option
	// AWS serves AWS's command lines. Nil: the Region doesn't.
	AWS *AWS
	// Audit describes the Region's events: Dir and Keys. The rest is filled in. Nil: none are kept.
	Audit *audit.Config
	// Admin returns what operators of the primary need to add and remove Regions. Nil: they can't.
	Admin func(*center.View) *portal.RegionAdmin
	// Replica changes the replica's configuration. Nil: no change.
	Replica func(*replica.Config)

	Logger    *slog.Logger
	OnVerdict func(context.Context, acs.Verdict)
	OnSignIn  func(context.Context, portal.SignIn)
}

// ACS returns the URL of a Region's consumer.
func ACS(origin string) string { return origin + corp.ACSPath }

// Logout returns the URL of a Region's single logout.
func Logout(p corp.Place, origin string) saml.LogoutEndpoint {
	return saml.LogoutEndpoint{URL: origin + corp.LogoutPath, Region: p.Name}
}

// Entry returns a Region as the instance lists it.
func Entry(p corp.Place, origin string, status center.RegionStatus) center.Region {
	return center.Region{
		Name: p.Name, Label: p.Label, Status: status, PortalURLs: []string{origin + "/"}, ACSURLs: []string{ACS(origin)},
	}
}

// Region is a running Region, until Close. It answers 503 until it is replicated.
type Region struct {
	*replica.Node
	cfg     Config
	audit   *audit.Log // nil: none
	handler atomic.Pointer[http.Handler]
	api     atomic.Pointer[http.Handler] // for AWS's command lines
	ctx     context.Context              // until Close
	cancel  context.CancelFunc
	ready   chan struct{} // closed when it serves or has failed
	failed  error         // why; read after ready
}

// Open starts a Region. It returns when the replica is up; the portal follows when the instance has been replicated.
func Open(ctx context.Context, cfg Config) (*Region, error) {
	if cfg.Store == nil {
		cfg.Store = acs.NewMemoryStore(acs.MemoryConfig{})
	}
	if cfg.AWS != nil && cfg.Seed.Instance.ID == "" {
		cfg.Seed.Instance.ID = InstanceID
	}
	rc := replica.Config{
		Region: cfg.Place.Name, Primary: cfg.Primary, Seed: cfg.Seed, Dir: cfg.Dir, Listen: cfg.Listen, Secret: cfg.Secret,
		Sealer: cfg.Sealer, Logger: cfg.Logger, Peers: map[string]replica.Peer{},
	}
	for name, addr := range cfg.Peers {
		rc.Peers[name] = replica.Peer{URL: addr, Options: cfg.Dial}
	}
	if cfg.Audit != nil {
		ac := *cfg.Audit
		ac.Region, ac.Sealer, ac.Logger, ac.Account = cfg.Place.Name, cfg.Sealer, cfg.Logger, corp.Production
		var err error
		if rc.Audit, err = audit.Open(ac); err != nil {
			return nil, fmt.Errorf("the events of %s: %w", cfg.Place.Name, err)
		}
	}
	if cfg.Replica != nil {
		cfg.Replica(&rc)
	}
	node, err := replica.Open(ctx, rc)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the replica of %s: %w", cfg.Place.Name, err), rc.Audit.Close())
	}
	r := &Region{Node: node, cfg: cfg, audit: rc.Audit, ready: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(r.ready)
		r.failed = r.begin(r.ctx)
	}()
	return r, nil
}

// begin waits for the instance, deploys the Region's application and opens the portal.
func (r *Region) begin(ctx context.Context) error {
	if err := r.Node.Ready(ctx); err != nil {
		return err
	}
	app := corp.Application(r.cfg.Place, r.cfg.Origin)
	if err := r.View().Update(func(tx *center.Tx) error { return tx.PutApplication(app) }); err != nil {
		return fmt.Errorf("the application of %s: %w", r.cfg.Place.Name, err)
	}
	h, err := r.Serving(nil)
	if err != nil {
		return err
	}
	r.handler.Store(&h)
	return nil
}

// Serving returns the handler of the portal and the application. edit, which may be nil, changes the portal's
// configuration.
func (r *Region) Serving(edit func(*portal.Config)) (http.Handler, error) {
	cfg := portal.Config{
		Region: r.cfg.Place.Name, SP: r.cfg.SP, Directory: r.View(), Store: r.cfg.Store,
		Context: r.ctx, Sessions: r.Sessions(), Shortcuts: r.Shortcuts(), Codes: r.Codes(),
		Replication: r.Node, Operator: corp.IsOperator, Logger: r.cfg.Logger, OnVerdict: r.cfg.OnVerdict,
		OnSignIn: r.cfg.OnSignIn, Audit: r.audit, Residency: r.Report, AWS: true,
	}
	if err := r.withKeys(&cfg); err != nil {
		return nil, fmt.Errorf("the access keys of %s: %w", r.cfg.Place.Name, err)
	}
	if r.cfg.Admin != nil {
		cfg.RegionAdmin = r.cfg.Admin(r.View())
	}
	if edit != nil {
		edit(&cfg)
	}
	p, err := portal.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("the portal of %s: %w", r.cfg.Place.Name, err)
	}
	pages, err := r.serveAWS(p)
	if err != nil {
		return nil, fmt.Errorf("the API of %s: %w", r.cfg.Place.Name, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("GET "+corp.AppPath+"{name}", r.application)
	return mux, nil
}

// Report reports where the Region's data is.
func (r *Region) Report(ctx context.Context) (residency.Report, error) {
	replicated, err := r.Residency(ctx)
	signIns := residency.Place{Kind: residency.SignIns, Region: r.cfg.Place.Name, Where: "memory",
		Kept: "until a request ends, or its answer can't be accepted any more"}
	own := []residency.Place{signIns}
	if s, ok := r.cfg.Store.(*natsstore.Store); ok {
		own = nil
		for _, name := range s.Streams() {
			signIns.Where, signIns.Key = "stream "+name, "the Region's copy of the key"
			own = append(own, signIns)
		}
	}
	if r.cfg.Audit != nil {
		own = append(own, residency.Place{Kind: residency.Audit, Region: r.cfg.Place.Name, Where: r.cfg.Audit.Dir,
			Key: "the Region's copy of the key", Kept: "until it has no more room: the oldest events end first"})
	}
	return residency.New(replicated, own, r.cfg.Places), err
}

// Wait waits until the Region serves or has failed.
func (r *Region) Wait(ctx context.Context) error {
	select {
	case <-r.ready:
		return r.failed
	case <-ctx.Done():
		return fmt.Errorf("the portal of %s: %w", r.cfg.Place.Name, ctx.Err())
	}
}

// Serves reports whether users can sign in here.
func (r *Region) Serves() bool { return r.handler.Load() != nil }

// ServeHTTP implements http.Handler.
func (r *Region) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if h := r.handler.Load(); h != nil {
		(*h).ServeHTTP(w, req)
		return
	}
	NotYet(w, r.cfg.Place.Name+" is being replicated. Its portal opens when that is done.")
}

// NotYet answers with 503.
func NotYet(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, http.StatusServiceUnavailable)
}

// Follow makes the Region read another at an address, which may be a new one.
func (r *Region) Follow(ctx context.Context, region, addr string) error {
	return r.AddPeer(ctx, region, replica.Peer{URL: addr, Options: r.cfg.Dial})
}

// Known counts the live sessions that the Region knows, and those of them that began here.
func (r *Region) Known(ctx context.Context) (all, own int) {
	v := r.View()
	if v == nil {
		return 0, 0
	}
	for _, u := range v.Snapshot().Data().Users {
		list, err := r.Sessions().List(ctx, u.ID)
		if err != nil {
			continue
		}
		all += len(list)
		own += len(slices.DeleteFunc(list, func(s sessions.Session) bool { return s.Region != r.cfg.Place.Name }))
	}
	return all, own
}

// application is a placeholder for an application that is deployed in the Region.
func (r *Region) application(w http.ResponseWriter, req *http.Request) {
	for _, a := range r.View().Snapshot().Data().Applications {
		if a.Region == r.cfg.Place.Name && corp.Slug(a.Name) == req.PathValue("name") {
			h := w.Header()
			h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
			h.Set("Content-Type", "text/plain; charset=utf-8")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-store")
			fmt.Fprintf(w, "%s runs in %s (%s).\n\nThis is a placeholder for an application.\n",
				a.Name, a.Region, r.cfg.Place.Label)
			return
		}
	}
	http.NotFound(w, req)
}

// Close stops the Region without notice to the others.
func (r *Region) Close() {
	r.cancel()
	<-r.ready
	r.Node.Close()
	if err := r.audit.Close(); err != nil {
		r.cfg.Logger.Error("the events were not closed", "error", err)
	}
}
