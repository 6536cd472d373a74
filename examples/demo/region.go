package main

import (
	"fmt"
	"net"
	"net/http"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// place is a Region before it runs.
type place struct {
	Name, Label string
	Port        int
}

// places are the Regions of the demo, the primary first. The order is that of
// the ACS list, so the first one's URL is the default.
var places = []place{
	{Name: "us-east-1", Label: "N. Virginia", Port: 8711},
	{Name: "eu-central-1", Label: "Frankfurt", Port: 8712},
}

func (p place) host() string { return p.Name + ".localhost" }

// region is a Region that runs, or did and can again. Its stores live as long
// as the program: a Region that comes back remembers what it knew.
type region struct {
	place
	url string // of its portal, without a slash at the end
	acs string // its assertion consumer service
	*server
}

func newRegion(p place, l net.Listener) *region {
	u := origin(p.host(), l)
	return &region{place: p, url: u, acs: u + acsPath}
}

// handler is all that the Region serves: its portal, and the applications that
// were deployed in it.
func (w *world) handler(r *region, store acs.Store) (http.Handler, error) {
	view, err := w.center.In(r.Name)
	if err != nil {
		return nil, err
	}
	p, err := portal.New(portal.Config{
		Region: r.Name, SP: w.sp, Directory: view, Store: store, Logger: w.logger,
		OnVerdict: w.signIns.verdict, OnSignIn: w.signIns.portal,
	})
	if err != nil {
		return nil, fmt.Errorf("the portal of %s: %w", r.Name, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", p)
	mux.HandleFunc("GET "+appPath+"{name}", func(rw http.ResponseWriter, req *http.Request) { w.application(rw, req, r) })
	return mux, nil
}
