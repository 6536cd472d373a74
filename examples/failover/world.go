package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/failover"
)

// The Regions, the primary first, and the ports that they take where those are
// free. The redirector goes by this order too.
var spots = []spot{
	{Place: corp.Virginia, Portal: 8722, Replica: 8732, Control: 8742},
	{Place: corp.Frankfurt, Portal: 8723, Replica: 8733, Control: 8743},
	{Place: corp.Sydney, Portal: 8724, Replica: 8734, Control: 8744},
}

const (
	redirectorHost = "portal.localhost"
	redirectorPort = 8720
	idpPort        = 8721
)

// world is everything that runs, as the parent sees it.
type world struct {
	plan    plan
	secret  string
	token   string
	dir     string
	program string // this one
	logs    io.Writer
	away    time.Duration // how long a Region is that was killed

	idp           answer
	idpProcess    *process
	sites         []*site // the primary first
	redirector    *loopback.Server
	redirectorURL string
	rd            *failover.Redirector

	ctx    context.Context // until close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	kept kept // what people were told they have; the walk's
}

// A site is a Region, as the parent sees it.
type site struct {
	spot
	process *process
}

// worldConfig says how to start a world.
type worldConfig struct {
	// FixedPorts takes the ports that spots name, where they are free.
	// Zero: free ones.
	FixedPorts bool
	// Logs is where children log to. Nil: nowhere.
	Logs io.Writer
	// ComesBackAfter is how long a Region stays away that was killed.
	// Zero: comesBackAfter.
	ComesBackAfter time.Duration
}

// newWorld starts all processes, and waits until every Region serves.
func newWorld(ctx context.Context, cfg worldConfig) (*world, error) {
	w := &world{secret: rand.Text(), token: rand.Text(), logs: cfg.Logs, away: cmp.Or(cfg.ComesBackAfter, comesBackAfter)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	if err := w.begin(ctx, cfg); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) begin(ctx context.Context, cfg worldConfig) (err error) {
	if w.program, err = os.Executable(); err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp("", "meridian-failover-"); err != nil {
		return err
	}
	forRedirector, err := w.choosePorts(cfg.FixedPorts)
	if err != nil {
		return err
	}
	w.idpProcess, w.idp, err = startProcess(ctx, w.program, order{Plan: w.plan, Verbose: w.logs != nil}, w.logs)
	if err == nil {
		for _, s := range w.plan.Regions {
			w.sites = append(w.sites, &site{spot: s})
		}
		for _, s := range w.sites { // the primary first: the others copy from it
			if err = w.start(ctx, s); err != nil {
				break
			}
		}
	}
	if err != nil {
		_ = forRedirector.Close()
		return err
	}
	return w.startRedirector(forRedirector)
}

// choosePorts finds free ports for everybody. The parent's own listener stays;
// children take theirs when they start, and again when they come back.
func (w *world) choosePorts(fixed bool) (net.Listener, error) {
	ports := []int{redirectorPort, idpPort}
	for _, s := range spots {
		ports = append(ports, s.Portal, s.Replica, s.Control)
	}
	if !fixed {
		ports = make([]int, len(ports))
	}
	listeners, err := loopback.ListenAll(ports...)
	if err != nil {
		return nil, err
	}
	for i, l := range listeners {
		ports[i] = loopback.Port(l)
		if i > 0 {
			_ = l.Close()
		}
	}
	w.redirectorURL, w.plan.IdP = loopback.Origin(redirectorHost, ports[0]), ports[1]
	for i, s := range spots {
		p := ports[2+3*i:]
		w.plan.Regions = append(w.plan.Regions, spot{s.Place, p[0], p[1], p[2]})
	}
	return listeners[0], nil
}

// start starts a Region's process, for the first time or again.
func (w *world) start(ctx context.Context, s *site) (err error) {
	s.process, _, err = startProcess(ctx, w.program, order{
		Plan: w.plan, Region: s.Name, Dir: filepath.Join(w.dir, s.Name), Secret: w.secret, Token: w.token,
		IdP: w.idp.Metadata, Verbose: w.logs != nil,
	}, w.logs)
	return err
}

// idpURL is the identity provider's origin.
func (w *world) idpURL() string { return loopback.Origin(corp.IdPHost, w.plan.IdP) }

// close ends all processes, and leaves nothing on disk.
func (w *world) close() {
	w.cancel()
	if w.redirector != nil {
		w.redirector.Stop()
	}
	w.tasks.Wait()
	var all sync.WaitGroup
	for _, s := range w.sites {
		if s.process != nil {
			all.Go(s.process.end)
		}
	}
	if w.idpProcess != nil {
		all.Go(w.idpProcess.end)
	}
	all.Wait()
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}
