package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/saml"
)

const (
	idpPort     = 8701
	controlHost = "localhost"
	controlPort = 8700
)

// world is everything that runs.
type world struct {
	idp        *mockidp.Server
	sp         *saml.ServiceProvider
	sites      []*site // the primary first
	redirector *redirector
	control    *control
	signIns    *signIns
	logger     *slog.Logger
	secret     string // that the Regions share
	moved      bool   // a port that the documentation names was in use
	dir        string // temporary, for the replicas

	acts   sync.Mutex      // one at a time: extending, stopping, starting
	ctx    context.Context // until close
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// worldConfig says how to start a world.
type worldConfig struct {
	// FixedPorts takes the ports that the documentation names, where they are
	// free. Zero: free ones, so that a walk can run beside a demo.
	FixedPorts bool
	// Logger hears what the Regions and the identity provider log. Nil: nobody.
	Logger *slog.Logger
}

// newWorld starts everything, with the primary Region alone. First all
// listeners, because every part must know the addresses of the others before
// any of them serves.
func newWorld(cfg worldConfig) (*world, error) {
	w := &world{signIns: newSignIns(), logger: cfg.Logger, secret: rand.Text()}
	if w.logger == nil {
		w.logger = slog.New(slog.DiscardHandler)
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	ports := []int{controlPort, idpPort, redirectorPort}
	for _, p := range places {
		ports = append(ports, p.Port)
	}
	if !cfg.FixedPorts {
		ports = make([]int, len(ports))
	}
	listeners, err := loopback.ListenAll(ports...)
	if err != nil {
		return nil, err
	}
	for i, l := range listeners {
		w.moved = w.moved || cfg.FixedPorts && loopback.Port(l) != ports[i]
	}
	if err := w.begin(listeners); err != nil {
		w.close()
		for _, l := range listeners {
			_ = l.Close() // those that nobody serves yet
		}
		return nil, err
	}
	return w, nil
}

func (w *world) begin(l []net.Listener) (err error) {
	if w.dir, err = os.MkdirTemp("", "meridian-demo-"); err != nil {
		return err
	}
	forControl, forIdP, forRedirector, forRegions := l[0], l[1], l[2], l[3:]
	for i, p := range places {
		w.sites = append(w.sites, newSite(p.Place, loopback.Port(forRegions[i]), w.dir))
	}
	if err := w.startIdP(forIdP); err != nil {
		return err
	}
	if err := w.trustEachOther(); err != nil {
		return err
	}
	if err := w.open(w.sites[0]); err != nil {
		return err
	}
	if err := w.sites[0].running().Wait(w.ctx); err != nil {
		return err
	}
	for i, s := range w.sites {
		s.Server = loopback.Serve(forRegions[i], s)
	}
	if err := w.startRedirector(forRedirector); err != nil {
		return err
	}
	w.control = newControl(w, forControl)
	return nil
}

func (w *world) startIdP(l net.Listener) error {
	idp, err := mockidp.Open(mockidp.Config{
		BaseURL: loopback.Origin(corp.IdPHost, loopback.Port(l)), Org: corp.Name, Hint: "Sign in as " + corp.SignInHint,
		Users: corp.Users(), Apps: []mockidp.App{corp.SAMLApp()}, Logger: w.logger,
	})
	if err != nil {
		return err
	}
	idp.Listener = l
	idp.Start()
	w.idp = idp
	return nil
}

// trustEachOther makes the one service provider from the identity provider's
// metadata, and gives the identity provider the service provider's. Its ACS
// list has the primary's URL only, as long as there is no other Region.
func (w *world) trustEachOther() error {
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	if err != nil {
		return err
	}
	primary := w.sites[0]
	w.sp, err = saml.New(saml.Config{EntityID: primary.url + corp.SPPath, ACS: []saml.Endpoint{{URL: primary.acs, Region: primary.Name}}, IdP: idp})
	if err != nil {
		return err
	}
	metadata, err := w.sp.Metadata()
	if err != nil {
		return err
	}
	return w.idp.RegisterSP("", metadata)
}

// site finds a Region by the name it has, or by an ACS URL of its.
func (w *world) site(nameOrACS string) (*site, error) {
	for _, s := range w.sites {
		if s.Name == nameOrACS || s.acs == nameOrACS {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no Region %q", nameOrACS)
}

// nodes are the replicas that run.
func (w *world) nodes() []*replica.Node {
	var out []*replica.Node
	for _, s := range w.sites {
		if runs := s.running(); runs != nil {
			out = append(out, runs.Node)
		}
	}
	return out
}

// close stops everything that was started, and leaves nothing on disk.
func (w *world) close() {
	w.cancel()
	if w.control != nil {
		w.control.Stop()
	}
	if w.redirector != nil {
		w.redirector.Stop()
	}
	w.tasks.Wait()
	w.acts.Lock()
	defer w.acts.Unlock()
	for _, s := range w.sites {
		s.end()
	}
	if w.idp != nil {
		w.idp.Close()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}
