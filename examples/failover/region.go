package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/region"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// startRegion is the process of a Region: its portal, its replica, and a door
// for the parent. It is up when people can sign in.
func startRegion(ctx context.Context, o order, logger *slog.Logger) (a answer, stop func(), err error) {
	cfg, here, err := o.region(logger)
	if err != nil {
		return a, nil, err
	}
	r, err := region.Open(ctx, cfg)
	if err != nil {
		return a, nil, err
	}
	servers := []*loopback.Server{}
	stop = func() {
		for _, s := range servers {
			s.Stop()
		}
		r.Close()
	}
	if err = r.Wait(ctx); err != nil {
		stop()
		return a, nil, err
	}
	door := &door{region: r, token: o.Token}
	l, err := net.Listen("tcp", loopback.Address(here.Control))
	if err == nil {
		servers = append(servers, loopback.Serve(l, door.routes()))
		l, err = net.Listen("tcp", loopback.Address(here.Portal))
	}
	if err != nil {
		stop()
		return a, nil, err
	}
	servers = append(servers, loopback.Serve(l, r))
	return a, stop, nil
}

// region is what the order says of the Region itself.
func (o order) region(logger *slog.Logger) (cfg region.Config, here spot, err error) {
	idp, err := saml.ParseIdPMetadata(o.IdP)
	if err != nil {
		return cfg, here, err
	}
	cfg = region.Config{Primary: o.Plan.Regions[0].Name, Dir: o.Dir, Secret: o.Secret, Peers: map[string]string{}, Logger: logger}
	var acs []saml.Endpoint
	var entries []center.Region
	for i, s := range o.Plan.Regions {
		acs = append(acs, saml.Endpoint{URL: s.acs(), Region: s.Name})
		status := center.RegionAdding // until it has said that it is replicated
		if i == 0 {
			status = center.RegionActive
		}
		entries = append(entries, region.Entry(s.Place, s.url(), status))
		if s.Name == o.Region {
			here = s
		} else {
			cfg.Peers[s.Name] = "nats://" + loopback.Address(s.Replica)
		}
	}
	if here.Name == "" {
		return cfg, here, fmt.Errorf("there is no Region %q", o.Region)
	}
	cfg.Place, cfg.Origin, cfg.Listen, cfg.Seed = here.Place, here.url(), loopback.Address(here.Replica), corp.Data(entries...)
	cfg.SP, err = saml.New(saml.Config{EntityID: o.Plan.entityID(), ACS: acs, IdP: idp})
	return cfg, here, err
}
