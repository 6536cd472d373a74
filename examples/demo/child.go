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
	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/saml"
)

// childFlag runs the program as the process of a Region or of the identity provider. The parent calls it by net/rpc
// over its standard input and output, so that the secret isn't visible in a process list. A child ends when its
// standard input is closed, so it doesn't outlive the parent.
const childFlag = "-child-of-demo"

// runChild runs a child until the parent closes the connection.
func runChild(in io.Reader, out, logs io.Writer) error {
	// Ctrl-C reaches all processes of a terminal. The parent ends the children.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &child{ctx: ctx, logs: logs}
	calls := rpc.NewServer()
	if err := calls.RegisterName("Child", c); err != nil {
		return err
	}
	r, pw := io.Pipe()
	go func() {
		_, _ = io.Copy(pw, in)
		cancel() // also while a call waits
		_ = pw.Close()
	}()
	calls.ServeConn(struct {
		io.ReadCloser
		io.Writer
	}{r, out})
	w := c.world.Load()
	if w == nil {
		return errors.New("the parent process did not call Start")
	}
	w.close()
	return nil
}

// child is a child process. The parent calls its exported methods: first Start, then those of a Region. net/rpc
// requires an argument, so these methods take a bool that they ignore.
type child struct {
	ctx   context.Context // ends with the connection
	logs  io.Writer
	world atomic.Pointer[world] // nil before Start
	site  atomic.Pointer[site]  // nil before Start, and for the identity provider
}

// Order describes the process that a child runs. The parent sets all fields before it starts the child.
type Order struct {
	Region   string // "": the identity provider
	IdPPort  int
	Portals  []int // ports, by Region
	Replicas []int
	Dir      string // of the Regions, kept from one process to the next
	Secret   string // shared by the Regions
	Keys     spKeys // likewise
	IdP      IdP    // for Regions
	Keyring  sealed.Location
	Record   bool // see worldConfig
}

// IdP is the identity provider's metadata and addresses.
type IdP struct {
	Metadata       []byte
	URL, Dashboard string
}

// Start starts the Region or identity provider that o describes, and returns when it serves.
func (c *child) Start(o Order, out *IdP) error {
	w := &world{logger: logger(c.logs), secret: o.Secret, keys: o.Keys, record: o.Record}
	w.ctx, w.cancel = context.WithCancel(c.ctx)
	for i, p := range places {
		s := newSite(p.Place, o.Portals[i], o.Dir)
		s.listen = o.Replicas[i]
		if s.Name != o.Region {
			s.addr = "nats://" + loopback.Address(s.listen)
		}
		w.sites = append(w.sites, s)
	}
	begin := func() error { return c.beginRegion(w, o) }
	if o.Region == "" {
		begin = func() error { return beginIdP(w, o, out) }
	}
	if err := begin(); err != nil {
		w.close()
		return err
	}
	c.world.Store(w)
	return nil
}

// beginIdP starts the identity provider. Its app lists the ACS URLs of all Regions, and each but the primary has a
// bookmark.
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
	idp, err := saml.ParseIdPMetadata(o.IdP.Metadata)
	if err != nil {
		return err
	}
	if w.sp, err = serviceProvider(idp, w.keys, w.sites); err != nil {
		return err
	}
	s, err := w.site(o.Region)
	if err != nil {
		return err
	}
	if w.keyring, err = o.Keyring.Open(s.Name); err != nil {
		return err
	}
	var others []string
	for _, o := range w.sites {
		if o != s {
			others = append(others, o.Name)
		}
	}
	if s.restore, err = s.restores(others); err != nil {
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
	go c.backUp(s)
	return nil
}

// Digest returns hashes of the data of the Region's replica.
func (c *child) Digest(_ bool, out *replica.Digest) error {
	*out = c.site.Load().running().Digest()
	return nil
}

// Active counts the Regions that this one knows as active.
func (c *child) Active(_ bool, out *int) error {
	for _, r := range c.site.Load().view().Regions() {
		if r.Active() {
			*out++
		}
	}
	return nil
}

// SessionNames returns what a search of the disks must not find.
func (c *child) SessionNames(_ bool, out *[]string) (err error) {
	*out, err = c.site.Load().sessionNames(c.ctx)
	return err
}

// Refusal is the result of a change.
type Refusal struct {
	Reason  center.Reason // "": it was made
	Primary string
}

// Assign assigns a permission set to Bob, which only the primary may do.
func (c *child) Assign(_ bool, out *Refusal) error {
	err := update(c.site.Load(), func(tx *center.Tx) error {
		return tx.Assign(center.Assignment{
			Principal: center.UserPrincipal(corp.Bob), AccountID: corp.Sandbox, PermissionSet: corp.ReadOnly,
		})
	})
	if refused := (*center.Error)(nil); errors.As(err, &refused) {
		*out = Refusal{refused.Reason, refused.Primary}
		return nil
	}
	return err
}
