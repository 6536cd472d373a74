package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// childFlag makes the program the process of a Region. What it is to do it hears
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
	if err := calls.RegisterName("Region", c); err != nil {
		return err
	}
	calls.ServeConn(&pipe{in, out, end}) // until the parent closes it, or is gone
	s := c.site.Load()
	if s == nil {
		return errors.New("a child that did not become a Region")
	}
	s.end()
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

// child is the process of a Region. Its exported methods are what the parent
// calls, and no browser may: Start, and then the others, which take a bool
// because net/rpc wants an argument.
type child struct {
	ctx  context.Context // until the parent is gone
	logs io.Writer
	site atomic.Pointer[site] // nil before Start
}

// Order is what a child is told to be. All of it is settled before anything starts.
type Order struct {
	Region   int   // of places
	Portals  []int // ports, by Region
	Replicas []int
	Dir      string // where the Region keeps its own, from one process to the next
	Secret   string // that the Regions share
	IdP      []byte // the identity provider's metadata
	Verbose  bool
}

// Start makes the process a Region, and returns when people can sign in to it.
func (c *child) Start(o Order, _ *bool) error {
	if !o.Verbose {
		c.logs = nil
	}
	w := &world{signIns: newSignIns(), logger: logger(c.logs), secret: o.Secret, ctx: c.ctx}
	for i, p := range places {
		s := newSite(p.Place, o.Portals[i], o.Dir)
		s.listen = o.Replicas[i]
		if i != o.Region {
			s.addr = "nats://" + loopback.Address(s.listen)
		}
		w.sites = append(w.sites, s)
	}
	var err error
	if w.sp, err = serviceProvider(o.IdP, w.sites); err != nil {
		return err
	}
	s := w.sites[o.Region]
	if err = w.open(s); err == nil {
		err = s.running().Wait(c.ctx)
	}
	var l net.Listener
	if err == nil {
		l, err = net.Listen("tcp", loopback.Address(o.Portals[o.Region]))
	}
	if err != nil {
		s.end()
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
