package main

import (
	"fmt"
	"log/slog"
	"net"
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// The hosts have no common parent but localhost, so to a browser each is a
// site of its own, as they would be in earnest. Cookies ignore ports.
const (
	idpHost     = "idp.localhost"
	idpPort     = 8701
	controlHost = "localhost"
	controlPort = 8700
)

// world is everything that runs.
type world struct {
	idp     *mockidp.Server
	sp      *saml.ServiceProvider
	center  *center.Instance
	regions []*region // the primary first
	control *control
	signIns *signIns
	logger  *slog.Logger
}

// worldConfig says how to start a world.
type worldConfig struct {
	// FixedPorts takes the ports that the documentation names, where they are
	// free. Zero: free ones, so that a walk can run beside a demo.
	FixedPorts bool
	// Logger hears what the Regions and the identity provider log. Nil: nobody.
	Logger *slog.Logger
}

// newWorld starts everything. First all listeners, because every part must
// know the addresses of the others before any of them serves.
func newWorld(cfg worldConfig) (*world, error) {
	w := &world{signIns: newSignIns(), logger: cfg.Logger}
	if w.logger == nil {
		w.logger = slog.New(slog.DiscardHandler)
	}
	ports := []int{controlPort, idpPort}
	for _, p := range places {
		ports = append(ports, p.Port)
	}
	listeners, err := listenAll(ports, cfg.FixedPorts)
	if err != nil {
		return nil, err
	}
	if err := w.start(listeners[0], listeners[1], listeners[2:]); err != nil {
		w.close()
		for _, l := range listeners {
			_ = l.Close() // those that nobody serves yet
		}
		return nil, err
	}
	return w, nil
}

func listenAll(ports []int, fixed bool) ([]net.Listener, error) {
	var out []net.Listener
	for _, port := range ports {
		if !fixed {
			port = 0
		}
		l, err := listen(port)
		if err != nil {
			for _, l := range out {
				_ = l.Close()
			}
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func (w *world) start(forControl, forIdP net.Listener, forRegions []net.Listener) error {
	for i, p := range places {
		w.regions = append(w.regions, newRegion(p, forRegions[i]))
	}
	if err := w.startIdP(forIdP); err != nil {
		return err
	}
	if err := w.trustEachOther(); err != nil {
		return err
	}
	var err error
	if w.center, err = center.New(instance(w.regions)); err != nil {
		return err
	}
	for i, r := range w.regions {
		h, err := w.handler(r, nil)
		if err != nil {
			return err
		}
		r.server = newServer(forRegions[i], h)
	}
	w.control = newControl(w, forControl)
	return nil
}

func (w *world) startIdP(l net.Listener) error {
	idp, err := mockidp.Open(mockidp.Config{
		BaseURL: origin(idpHost, l), Org: "Example Corp", Hint: "Sign in as " + signInHint,
		Users: idpUsers(), Apps: idpApps(w.regions), Logger: w.logger,
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
// list has one URL a Region, and the first is the default on both sides.
func (w *world) trustEachOther() error {
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	if err != nil {
		return err
	}
	w.sp, err = saml.New(saml.Config{EntityID: w.regions[0].url + spPath, ACS: endpoints(w.regions), IdP: idp})
	if err != nil {
		return err
	}
	metadata, err := w.sp.Metadata()
	if err != nil {
		return err
	}
	return w.idp.RegisterSP("", metadata)
}

func endpoints(regions []*region) []saml.Endpoint {
	var out []saml.Endpoint
	for _, r := range regions {
		out = append(out, saml.Endpoint{URL: r.acs, Region: r.Name})
	}
	return out
}

// acsOrder is the order in which the identity provider's app lists the URLs.
func (w *world) acsOrder() []string {
	app, _ := w.idp.App("")
	var out []string
	for _, a := range app.ACS {
		out = append(out, a.URL)
	}
	return out
}

// swapACS turns the app's list around, as an administrator would who makes
// another Region's URL the "Single sign-on URL". The indexes stay with their
// URLs.
func (w *world) swapACS() error {
	return w.idp.UpdateApp("", func(a *mockidp.App) error {
		slices.Reverse(a.ACS)
		return nil
	})
}

// region finds a Region by the name it has, or by an ACS URL of its.
func (w *world) region(nameOrACS string) (*region, error) {
	for _, r := range w.regions {
		if r.Name == nameOrACS || r.acs == nameOrACS {
			return r, nil
		}
	}
	return nil, fmt.Errorf("there is no Region %q", nameOrACS)
}

// close stops everything that was started.
func (w *world) close() {
	if w.control != nil {
		w.control.stop()
	}
	for _, r := range w.regions {
		if r.server != nil {
			r.stop()
		}
	}
	if w.idp != nil {
		w.idp.Close()
	}
}
