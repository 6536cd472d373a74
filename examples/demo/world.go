package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
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
	idp        *mockidp.Server // nil where it has a process
	idpURL     string          // its origin
	idpProcess *process
	sp         *saml.ServiceProvider
	sites      []*site // the primary first
	redirector *redirector
	control    *control
	signIns    *signIns
	logger     *slog.Logger
	kept       kept      // sessions that browsers were given; the walk's
	logs       io.Writer // where children log to; nil: nowhere
	secret     string    // that the Regions share
	moved      bool      // a port that the documentation names was in use
	dir        string    // temporary, for the replicas

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
	// Logs is where the Regions and the identity provider log to. Nil: nowhere.
	Logs io.Writer
	// Program is what is started for each Region, as its process, of which there
	// are three then, all of them added. Empty: there are two, in this process.
	Program string
}

// newWorld starts everything: with the primary Region alone, or with a process
// for each of three. Processes begin at the usual ports, which another program
// may take before a child does, and then at free ones.
func newWorld(ctx context.Context, cfg worldConfig) (*world, error) {
	w, err := tryWorld(ctx, cfg)
	if err != nil && cfg.Program != "" && cfg.FixedPorts && ctx.Err() == nil {
		cfg.FixedPorts = false
		if w, err = tryWorld(ctx, cfg); err == nil {
			w.moved = true
		}
	}
	return w, err
}

// tryWorld begins with all listeners, because every part must know the addresses
// of the others before any of them serves.
func tryWorld(ctx context.Context, cfg worldConfig) (*world, error) {
	w := &world{signIns: newSignIns(), logger: logger(cfg.Logs), logs: cfg.Logs, secret: rand.Text()}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	ports, there := []int{idpPort, redirectorPort, controlPort}, places[:2]
	if cfg.Program != "" {
		there = places
	}
	for _, p := range there {
		ports = append(ports, p.Port)
	}
	if cfg.Program != "" {
		ports = append(ports, make([]int, len(there))...) // of the replicas
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
	if w.dir, err = os.MkdirTemp("", "meridian-demo-"); err == nil {
		for i, p := range there {
			w.sites = append(w.sites, newSite(p.Place, loopback.Port(listeners[3+i]), w.dir))
		}
		if cfg.Program == "" {
			err = w.begin(listeners)
		} else {
			err = w.beginProcesses(ctx, cfg.Program, listeners)
		}
	}
	if err != nil {
		w.close()
		for _, l := range listeners {
			_ = l.Close() // those that are not served yet
		}
		return nil, err
	}
	return w, nil
}

// logger writes to logs; nil: nowhere.
func logger(logs io.Writer) *slog.Logger {
	if logs == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(logs, nil))
}

func (w *world) begin(l []net.Listener) error {
	forIdP, forRedirector, forControl, forRegions := l[0], l[1], l[2], l[3:]
	if err := w.startIdP(forIdP, w.sites[:1]); err != nil {
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

// startIdP starts the identity provider, which the one service provider and it
// know each other by. At first its app has the ACS URLs of these Regions, and
// the service provider too.
func (w *world) startIdP(l net.Listener, of []*site) error {
	idp, err := mockidp.Open(mockidp.Config{
		BaseURL: loopback.Origin(corp.IdPHost, loopback.Port(l)), Org: corp.Name, Hint: "Sign in as " + corp.SignInHint,
		Users: corp.Users(), Apps: []mockidp.App{corp.SAMLApp()}, Logger: w.logger,
	})
	if err != nil {
		return err
	}
	idp.Listener = l
	idp.Start()
	w.idp, w.idpURL = idp, idp.URL
	if w.sp, err = serviceProvider(idp.Metadata(""), of); err != nil {
		return err
	}
	metadata, err := w.sp.Metadata()
	if err != nil {
		return err
	}
	return idp.RegisterSP("", metadata)
}

// serviceProvider makes the one service provider, with the ACS URLs of Regions,
// the primary first, from the identity provider's metadata.
func serviceProvider(metadata []byte, of []*site) (*saml.ServiceProvider, error) {
	idp, err := saml.ParseIdPMetadata(metadata)
	if err != nil {
		return nil, err
	}
	var acs []saml.Endpoint
	for _, s := range of {
		acs = append(acs, saml.Endpoint{URL: s.acs, Region: s.Name})
	}
	return saml.New(saml.Config{EntityID: of[0].url + corp.SPPath, ACS: acs, IdP: idp})
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
	var all sync.WaitGroup
	for _, s := range w.sites {
		all.Go(s.end)
	}
	all.Wait()
	if w.idp != nil {
		w.idp.Close()
	}
	if w.idpProcess != nil {
		w.idpProcess.end()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}
