// Package region is one Region of the examples: its replica of the instance,
// its portal and the application that is deployed in it, started and stopped
// as one.
package region

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/saml"
)

// Config says what a Region is.
type Config struct {
	Place   corp.Place
	Primary string // the primary Region's name
	Origin  string // of the portal, as browsers write it
	// SP is the service provider, the same or one with the same configuration
	// in every Region. By the time that the Region is ready it has an ACS here.
	SP *saml.ServiceProvider
	// Store keeps what a sign-in needs. Nil: in memory.
	Store acs.Store

	Dir    string      // the replica's, kept from one start to the next
	Listen string      // where the replica lets others read
	Secret string      // that the Regions share
	Seed   center.Data // what a primary holds when it starts for the first time
	Peers  map[string]string
	// Dial are options for the links to peers. Nil: none.
	Dial []nats.Option
	// Replica has a last look at the replica's configuration. Nil: it stays.
	Replica func(*replica.Config)

	Logger    *slog.Logger
	OnVerdict func(context.Context, acs.Verdict)
	OnSignIn  func(context.Context, portal.SignIn)
}

// ACS is the address of a Region's consumer.
func ACS(origin string) string { return origin + corp.ACSPath }

// Entry is how the instance lists a Region.
func Entry(p corp.Place, origin string, status center.RegionStatus) center.Region {
	return center.Region{Name: p.Name, Label: p.Label, Status: status, PortalURLs: []string{origin + "/"}, ACSURLs: []string{ACS(origin)}}
}

// A Region runs until Close. It serves 503 until it is replicated.
type Region struct {
	*replica.Node
	cfg     Config
	handler atomic.Pointer[http.Handler]
	ctx     context.Context // until Close
	cancel  context.CancelFunc
	ready   chan struct{} // closed when it serves, or never will
	failed  error         // why not; to be read after ready
}

// Open starts a Region. It returns when the replica is up; the portal follows
// as soon as the instance has been replicated.
func Open(ctx context.Context, cfg Config) (*Region, error) {
	if cfg.Store == nil {
		cfg.Store = acs.NewMemoryStore(acs.MemoryConfig{})
	}
	rc := replica.Config{
		Region: cfg.Place.Name, Primary: cfg.Primary, Seed: cfg.Seed, Dir: cfg.Dir, Listen: cfg.Listen, Secret: cfg.Secret,
		Logger: cfg.Logger, Peers: map[string]replica.Peer{},
		InsecurePlaintext: true, // the examples' users are made up
	}
	for name, addr := range cfg.Peers {
		rc.Peers[name] = replica.Peer{URL: addr, Options: cfg.Dial}
	}
	if cfg.Replica != nil {
		cfg.Replica(&rc)
	}
	node, err := replica.Open(ctx, rc)
	if err != nil {
		return nil, fmt.Errorf("the replica of %s: %w", cfg.Place.Name, err)
	}
	r := &Region{Node: node, cfg: cfg, ready: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(r.ready)
		r.failed = r.begin(r.ctx)
	}()
	return r, nil
}

// begin waits for the instance, deploys the Region's application and opens
// the portal.
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

// Serving makes what the Region serves: its portal, and the application. edit
// has a last look at the portal's configuration; it may be nil.
func (r *Region) Serving(edit func(*portal.Config)) (http.Handler, error) {
	cfg := portal.Config{
		Region: r.cfg.Place.Name, SP: r.cfg.SP, Directory: r.View(), Store: r.cfg.Store,
		Context: r.ctx, Sessions: r.Sessions(), Codes: r.Codes(), Replication: r.Node, Operator: corp.IsOperator,
		Logger: r.cfg.Logger, OnVerdict: r.cfg.OnVerdict, OnSignIn: r.cfg.OnSignIn,
	}
	if edit != nil {
		edit(&cfg)
	}
	p, err := portal.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("the portal of %s: %w", r.cfg.Place.Name, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", p)
	mux.HandleFunc("GET "+corp.AppPath+"{name}", r.application)
	return mux, nil
}

// Wait waits until the Region serves.
func (r *Region) Wait(ctx context.Context) error {
	select {
	case <-r.ready:
		return r.failed
	case <-ctx.Done():
		return fmt.Errorf("the portal of %s: %w", r.cfg.Place.Name, ctx.Err())
	}
}

// Serves says whether people can sign in here by now.
func (r *Region) Serves() bool { return r.handler.Load() != nil }

// ServeHTTP implements http.Handler.
func (r *Region) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if h := r.handler.Load(); h != nil {
		(*h).ServeHTTP(w, req)
		return
	}
	NotYet(w, r.cfg.Place.Name+" is being replicated. Its portal opens when that is done.")
}

// NotYet answers for a Region that can't serve.
func NotYet(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, http.StatusServiceUnavailable)
}

// Follow makes the Region follow another at an address, or move there.
func (r *Region) Follow(ctx context.Context, region, addr string) error {
	return r.AddPeer(ctx, region, replica.Peer{URL: addr, Options: r.cfg.Dial})
}

// Known counts the live sessions that the Region knows of, and those of them
// that began here.
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

// application stands in for the business application that was deployed in the
// Region: it goes down with it.
func (r *Region) application(w http.ResponseWriter, req *http.Request) {
	for _, a := range r.View().Snapshot().Data().Applications {
		if a.Region == r.cfg.Place.Name && corp.Slug(a.Name) == req.PathValue("name") {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write([]byte(a.Name + " runs in " + a.Region + " (" + r.cfg.Place.Label + ").\n\nA stand-in for the application that would be here.\n"))
			return
		}
	}
	http.NotFound(w, req)
}

// Close stops all of it, without a word to the others.
func (r *Region) Close() {
	r.cancel()
	<-r.ready
	r.Node.Close()
}
