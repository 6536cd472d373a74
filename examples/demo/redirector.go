package main

import (
	"net"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/failover"
)

// The redirector has an address of its own, which users remember. It knows all Regions from the start. A Region that
// is not added is not healthy.
const (
	redirectorHost = "portal.localhost"
	redirectorPort = 8702
)

// Probes are much more frequent than in production, so that a visitor doesn't have to wait.
const (
	probeEvery   = 400 * time.Millisecond
	probeTimeout = 3 * time.Second
)

type redirector struct {
	*failover.Redirector
	*loopback.Server
	url string // without a slash at the end
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
	w.redirector = &redirector{rd, loopback.Serve(l, rd), loopback.Origin(redirectorHost, loopback.Port(l))}
	return nil
}

// probed returns the redirector's status of a Region, which must be one that it knows.
func (r *redirector) probed(name string) failover.Status {
	all := r.Status()
	return all[slices.IndexFunc(all, func(s failover.Status) bool { return s.Region == name })]
}
