package main

import (
	"log/slog"
	"net"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/failover"
)

// Probes are much more frequent than in earnest, so that nobody has to wait.
const (
	probeEvery   = 400 * time.Millisecond
	probeTimeout = 3 * time.Second
)

func (w *world) startRedirector(l net.Listener) (err error) {
	var regions []failover.Region
	for _, s := range w.sites {
		regions = append(regions, failover.Region{Name: s.Name, URL: s.url()})
	}
	w.rd, err = failover.New(failover.Config{
		Regions: regions, KeepPath: true, Interval: probeEvery, Timeout: probeTimeout, HealthyThreshold: 1, UnhealthyThreshold: 2,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	w.tasks.Go(func() { _ = w.rd.Run(w.ctx) })
	w.redirector = loopback.Serve(l, w.rd)
	return nil
}
