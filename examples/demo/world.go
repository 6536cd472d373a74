package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/failover"
	"github.com/meridian-saml/meridian/saml"
)

const (
	controlHost    = "localhost"
	controlPort    = 8700
	idpPort        = 8701
	redirectorHost = "portal.localhost"
	redirectorPort = 8702

	// Probes are more frequent than in production, so that users of the demo don't have to wait.
	probeEvery   = 400 * time.Millisecond
	probeTimeout = 3 * time.Second
)

// world is everything that the demo runs.
type world struct {
	idp        *mockidp.Server // nil if it has a process
	idpURL     string          // its origin
	idpProcess *process
	sp         *saml.ServiceProvider
	sites      []*site // the primary first
	redirector *redirector
	control    *control
	signIns    signIns
	logger     *slog.Logger
	kept       kept      // the walk's sessions
	logs       io.Writer // for children; nil: none
	secret     string    // shared by the Regions
	keys       spKeys    // of the service provider, likewise
	keyring    *sealed.Keyring
	record     bool     // see worldConfig
	browsers   browsers // the walk's
	cli        string   // AWS's command line, for the walk; empty: the one on PATH
	moved      bool     // whether a documented port was in use
	dir        string   // temporary, for the replicas

	acts   sync.Mutex      // one at a time: extending, stopping, starting
	ctx    context.Context // until close
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// worldConfig says how to start a world.
type worldConfig struct {
	// FixedPorts takes the documented ports, where they are free. Zero: any free ports, so that a walk can run
	// beside a demo.
	FixedPorts bool
	// Logs receives the logs of the Regions and the identity provider. Nil: none.
	Logs io.Writer
	// Program is started as the process of each of three Regions, all of them added. Empty: there are two Regions,
	// in this process, the second one not added.
	Program string
	// Record keeps every byte between the Regions in files, for the walk to search.
	Record bool
}

// newWorld starts everything. Another program may take a documented port before a child process listens there. Then
// newWorld starts again with free ports.
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

// tryWorld opens all listeners first: each part must know the addresses of the others before any serves.
func tryWorld(ctx context.Context, cfg worldConfig) (*world, error) {
	w := &world{logger: logger(cfg.Logs), logs: cfg.Logs, secret: rand.Text(), record: cfg.Record}
	var err error
	if w.keys, err = newSPKeys(); err != nil {
		return nil, err
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	ports, regions := []int{idpPort, redirectorPort, controlPort, places[0].Port, places[1].Port}, places[:2]
	if cfg.Program != "" {
		ports, regions = append(ports, places[2].Port, 0, 0, 0), places // the last three are for replicas
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
		for i, p := range regions {
			w.sites = append(w.sites, newSite(p.Place, loopback.Port(listeners[3+i]), w.dir))
		}
		if cfg.Program == "" {
			// The replica of the key is there before the Region: it is a prerequisite.
			if w.keyring, err = sealed.All(w.dir, w.sites[0].Name, w.sites[1].Name); err == nil {
				err = w.begin(listeners)
			}
		} else {
			err = w.beginProcesses(ctx, cfg.Program, listeners)
		}
	}
	if err != nil {
		w.close()
		for _, l := range listeners {
			_ = l.Close() // harmless if it was served
		}
		return nil, err
	}
	return w, nil
}

// logger returns a logger that writes to logs, which may be nil.
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

// startIdP starts the identity provider and makes the service provider, each with the other's metadata and with the
// ACS URLs of these Regions.
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
	md, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		return err
	}
	source := saml.NewSwappableIdP(md)
	if w.sp, err = serviceProvider(source, w.keys, of); err != nil {
		return err
	}
	metadata, err := w.sp.Metadata()
	if err == nil {
		err = idp.RegisterSP("", metadata)
	}
	if err != nil {
		return err
	}
	// The app has single logout now, so the metadata of the identity provider has an address for it.
	if md, err = saml.ParseIdPMetadata(idp.Metadata("")); err == nil {
		source.Replace(md)
	}
	return err
}

// redirector knows all Regions from the start. One that is not added is not healthy.
type redirector struct {
	*failover.Redirector
	*loopback.Server
	url    string // without a slash at the end
	starts *companyStart
}

// Set sets the routing control of a Region, for browsers and for command lines.
func (r *redirector) Set(name string, to failover.Control) error {
	return errors.Join(r.Redirector.Set(name, to), r.starts.Set(name, to))
}

func (w *world) startRedirector(l net.Listener) error {
	var regions []failover.Region
	for _, s := range w.sites {
		regions = append(regions, failover.Region{Name: s.Name, URL: s.url})
	}
	rd, err := failover.New(failover.Config{
		Regions: regions, KeepPath: true, Interval: probeEvery, Timeout: probeTimeout,
		HealthyThreshold: 1, UnhealthyThreshold: 2, Logger: w.logger,
	})
	if err != nil {
		return err
	}
	w.tasks.Go(func() { _ = rd.Run(w.ctx) })
	starts, err := w.startCompanyStart()
	if err != nil {
		return err
	}
	w.redirector = &redirector{rd, loopback.Serve(l, rd), loopback.Origin(redirectorHost, loopback.Port(l)), starts}
	return nil
}

// probed returns the redirector's status of a Region, which must be one that it knows.
func (r *redirector) probed(name string) failover.Status {
	all := r.Status()
	return all[slices.IndexFunc(all, func(s failover.Status) bool { return s.Region == name })]
}

// site returns a Region by its name or ACS URL.
func (w *world) site(nameOrACS string) (*site, error) {
	for _, s := range w.sites {
		if s.Name == nameOrACS || s.acs == nameOrACS {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no Region %q", nameOrACS)
}

// regionOf returns the name of the Region with that ACS URL, or the URL if there is none.
func (w *world) regionOf(acs string) string {
	if s, err := w.site(acs); err == nil {
		return s.Name
	}
	return acs
}

// close stops everything and removes the directory.
func (w *world) close() {
	w.cancel()
	if w.control != nil {
		w.control.Stop()
	}
	if w.redirector != nil {
		w.redirector.Stop()
		w.redirector.starts.stop()
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
