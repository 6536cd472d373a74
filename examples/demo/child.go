package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// childFlag makes the program the process of a Region, or of the identity
// provider, so that one that is busy doesn't hold up the others. What it is to do it hears
// by net/rpc on its standard input, where no list of processes shows it, and it
// answers on its standard output. It lives as long as its standard input stays
// open, so no child outlives the parent.
const childFlag = "-child-of-demo"

// runChild is all that a child does.
func runChild(in io.Reader, out, logs io.Writer) error {
	// Ctrl-C reaches all processes of a terminal; the parent ends the children.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(context.Background())
	defer end()
	c := &child{ctx: ctx, logs: logs}
	calls := rpc.NewServer()
	if err := calls.RegisterName("Child", c); err != nil {
		return err
	}
	calls.ServeConn(&pipe{in, out, end}) // until the parent closes it, or is gone
	stop := c.stop.Load()
	if stop == nil {
		return errors.New("a child that was told nothing to be")
	}
	(*stop)()
	return nil
}

// pipe is a child's end of the connection.
type pipe struct {
	io.Reader
	io.Writer
	end func() // is called when there is nothing more to read
}

// Read implements io.Reader.
func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil {
		p.end()
	}
	return n, err
}

// Close implements io.Closer.
func (p *pipe) Close() error { return nil }

// child is such a process. Its exported methods are what the parent calls, and
// no browser may: Start, and then a Region's, which take a bool because net/rpc
// wants an argument.
type child struct {
	ctx  context.Context // until the parent is gone
	logs io.Writer
	site atomic.Pointer[site]   // nil before Start, and for the identity provider
	stop atomic.Pointer[func()] // nil before Start
}

// Order is what a child is told to be. All of it is settled before anything starts.
type Order struct {
	Region   string // "": the identity provider
	IdPPort  int
	Portals  []int // ports, by Region
	Replicas []int
	Dir      string // where the Regions keep their own, from one process to the next
	Secret   string // that they share
	IdP      IdP    // for Regions
	Verbose  bool
}

// IdP is what the identity provider says of itself.
type IdP struct {
	Metadata       []byte
	URL, Dashboard string
}

// Start makes the process what it is told to be, and returns when people can
// sign in to it.
func (c *child) Start(o Order, out *IdP) error {
	if !o.Verbose {
		c.logs = nil
	}
	w := &world{signIns: newSignIns(), logger: logger(c.logs), secret: o.Secret, ctx: c.ctx}
	for i, p := range places {
		s := newSite(p.Place, o.Portals[i], o.Dir)
		s.listen = o.Replicas[i]
		if s.Name != o.Region {
			s.addr = "nats://" + loopback.Address(s.listen)
		}
		w.sites = append(w.sites, s)
	}
	stop := func() {
		for _, s := range w.sites {
			s.end()
		}
		if w.idp != nil {
			w.idp.Close()
		}
	}
	begin := func() error { return c.beginRegion(w, o) }
	if o.Region == "" {
		begin = func() error { return beginIdP(w, o, out) }
	}
	if err := begin(); err != nil {
		stop()
		return err
	}
	c.stop.Store(&stop)
	return nil
}

// beginIdP starts the identity provider, whose app lists the ACS URLs of all
// Regions. Every Region but the primary has a bookmark.
func beginIdP(w *world, o Order, out *IdP) error {
	l, err := net.Listen("tcp", loopback.Address(o.IdPPort))
	if err != nil {
		return err
	}
	if err := w.startIdP(l, w.sites); err != nil {
		return err
	}
	for _, s := range w.sites[1:] {
		if _, err := w.idp.AddApp(corp.Bookmark(s.Place, s.url+"/")); err != nil {
			return err
		}
	}
	*out = IdP{w.idp.Metadata(""), w.idpURL, w.idp.DashboardURL()}
	return nil
}

func (c *child) beginRegion(w *world, o Order) (err error) {
	if w.sp, err = serviceProvider(o.IdP.Metadata, w.sites); err != nil {
		return err
	}
	s, err := w.site(o.Region)
	if err != nil {
		return err
	}
	if err := w.open(s); err != nil {
		return err
	}
	if err := s.running().Wait(c.ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", loopback.Address(o.Portals[slices.Index(w.sites, s)]))
	if err != nil {
		return err
	}
	s.Server = loopback.Serve(l, s)
	c.site.Store(s)
	return nil
}

// Digest is what the Region's replica knows, as hashes.
func (c *child) Digest(_ bool, out *replica.Digest) error {
	*out = c.site.Load().running().Digest()
	return nil
}

// Active counts the Regions that it knows as active.
func (c *child) Active(_ bool, out *int) error {
	for _, r := range c.site.Load().view().Regions() {
		if r.Active() {
			*out++
		}
	}
	return nil
}

// Refusal is what became of a change.
type Refusal struct {
	Reason  center.Reason // "": it was made
	Primary string
}

// Assign gives Bob something, which only the primary may do.
func (c *child) Assign(_ bool, out *Refusal) error {
	grant := center.Assignment{Principal: center.UserPrincipal(corp.Bob), AccountID: corp.Sandbox, PermissionSet: corp.ReadOnly}
	err := update(c.site.Load(), func(tx *center.Tx) error { return tx.Assign(grant) })
	if refused := (*center.Error)(nil); errors.As(err, &refused) {
		*out = Refusal{refused.Reason, refused.Primary}
		return nil
	}
	return err
}
