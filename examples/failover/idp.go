package main

import (
	"context"
	"log/slog"
	"net"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
)

// entityID is the one name of the service provider.
func (p plan) entityID() string { return p.Regions[0].url() + corp.SPPath }

// startIdP is the process of the identity provider. Its app lists the ACS URLs
// of all Regions, the primary's first, and every other Region has a bookmark.
func startIdP(_ context.Context, o order, logger *slog.Logger) (a answer, stop func(), err error) {
	app := corp.SAMLApp()
	app.Audience = o.Plan.entityID()
	apps := []mockidp.App{app}
	for i, s := range o.Plan.Regions {
		apps[0].ACS = append(apps[0].ACS, mockidp.ACS{URL: s.acs()})
		if i > 0 {
			apps = append(apps, corp.Bookmark(s.Place, s.url()+"/"))
		}
	}
	idp, err := mockidp.Open(mockidp.Config{
		BaseURL: loopback.Origin(corp.IdPHost, o.Plan.IdP), Org: corp.Name, Hint: "Sign in as " + corp.SignInHint,
		Users: corp.Users(), Apps: apps, Logger: logger,
	})
	if err != nil {
		return a, nil, err
	}
	if idp.Listener, err = net.Listen("tcp", loopback.Address(o.Plan.IdP)); err != nil {
		return a, nil, err
	}
	idp.Start()
	return answer{Metadata: idp.Metadata(""), Dashboard: idp.DashboardURL()}, idp.Close, nil
}
