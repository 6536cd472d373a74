package replica

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A Node is one Region's replica of the instance and of all that is known
// about sessions. It is safe for concurrent use.
type Node struct {
	cfg    Config
	server *server.Server // nil with Config.URL
	lock   *os.File       // of Config.Dir
	nc     *nats.Conn     // to the Region's own server
	js     jetstream.JetStream

	ctx    context.Context // until Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	once   sync.Once // Close

	identityStore identityStore
	identity      atomic.Pointer[integrity.Identity] // replaced whole
	generation    integrity.Generation
	damage        atomic.Pointer[Error] // why the Region has stopped; nil: it hasn't
	clockMost     atomic.Int64          // see latestClock
	marked        map[string]uint64     // the marks that were written, by stream; watch's

	ledger      *ledger
	progress    *progress
	contents    *contents
	copies      copies
	pendingEnds pendingEnds
	stall       stall
	// refused are the streams that the embedded server takes no writes for.
	refused  atomic.Pointer[map[string]string]
	wake     chan struct{} // maintenanceLoop's
	writes   writes        // what the observer is told of them
	catching *catching
	uncopied *uncopiedEnds

	agreements map[streamKind]*agreements // never changed

	// applying guards what follows. Whoever changes the instance on behalf of
	// other Regions holds it from the moment it knows what to change until that
	// is done, so that changes take effect in their order. An update made here
	// holds the instance's own lock already; it tries this one and gives way.
	applying  sync.Mutex
	dir       *merge.Directory
	fulls     map[string]fullAt // of copies, by Region
	log       ownLog
	touched   []merge.Name    // in dir, not shown by the instance yet
	unapplied []arrival       // what that touched them
	lastApply time.Time       // when the instance was last told
	hidden    map[string]bool // Regions whose applications are not shown

	instance atomic.Pointer[center.Instance]
	view     atomic.Pointer[center.View] // set before ready is closed
	ready    chan struct{}               // closed when the Region may serve
	refusals seldom
	stops    *stops

	standings atomic.Pointer[map[string]merge.Standing] // nil: not known yet
	unlisted  atomic.Bool                               // the primary said so last
	removedAt atomic.Uint64                             // the stamp of this Region's removal; 0: none
	left      chan struct{}                             // closed when it was removed
	erased    chan struct{}                             // closed when nothing is left then

	// parting is held while a Region is added to those that are followed, or
	// taken out. It guards parted.
	parting sync.Mutex
	parted  map[string]parting

	mu        sync.Mutex // guards what follows
	closed    bool
	readers   map[string][]*reader // by Region
	followers map[string]*follower
	gate      *nats.Subscription
	parked    map[string]Peer       // of Regions that were removed
	suspected map[suspect]time.Time // what was last looked into, or reported
	cleared   map[suspect]bool      // copies that may be read from the start
}

// Open starts a Node. It returns when the Region's own server is up and what
// it keeps has been read; it waits for no other Region. Ready waits for the
// rest. A refusal is an *Error, or the *center.Error that a Seed deserves. A
// Region that the primary removed is refused with Reason Removed, until the
// primary, which has to be among Config.Peers then, says that it was added again.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	cfg.defaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	n := &Node{
		cfg: cfg, ledger: newLedger(cfg.Region, cfg.Primary, cfg.entries...), dir: merge.NewDirectory(cfg.Primary, cfg.kinds...), progress: newProgress(),
		catching: newCatching(catchEvery), uncopied: newUncopiedEnds(), agreements: newAgreements(),
		stops: newStops(), fulls: map[string]fullAt{}, hidden: map[string]bool{},
		log: ownLog{wrote: map[uint64]bool{}}, wake: make(chan struct{}, 1), ready: make(chan struct{}),
		left: make(chan struct{}), erased: make(chan struct{}), parted: map[string]parting{}, parked: map[string]Peer{},
		readers: map[string][]*reader{}, followers: map[string]*follower{}, contents: newContents(),
		suspected: map[suspect]time.Time{}, cleared: map[suspect]bool{},
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	if err := n.open(ctx); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	if err := n.connect(); err != nil {
		return err
	}
	n.identityStore = identityStore(dirStore{n.cfg.Dir})
	if n.cfg.URL != "" {
		n.identityStore = streamStore{n}
	}
	for _, step := range []func(context.Context) error{
		n.awake, n.resume, n.establish, n.recover, // what the streams are, and whether they are damaged
		n.readAll, n.settle, n.compareCopies, n.adopt, n.wasWhole, n.wasRestored,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	n.ledger.sweepDeparted(n.cfg.Now(), n.cfg.MaxSession, n.cfg.Skew) // or what removed Regions counted would end sessions again
	if err := n.serve(); err != nil {
		return err
	}
	n.start(n.maintenanceLoop)
	n.start(n.watch)
	if n.server != nil {
		n.start(n.attend)
	}
	if n.cfg.Observer != nil {
		n.start(n.observing)
	}
	return n.followAll(ctx)
}

// readAll reads the Region's own streams and its copies of others' into memory,
// and compares the Region's own with their marks.
func (n *Node) readAll(ctx context.Context) error {
	marks, err := n.readMarks(ctx)
	if err != nil {
		return err
	}
	if err := n.readErased(ctx); err != nil {
		return err
	}
	if n.copies.marks, err = n.readCopyMarks(ctx); err != nil {
		return err
	}
	regions, err := n.copied(ctx)
	if err != nil {
		return err
	}
	removed, err := n.departed(ctx, regions)
	if err != nil {
		return err
	}
	for _, region := range removed {
		if err := n.load(ctx, region, kindRevoked); err != nil {
			return err
		}
	}
	for _, region := range append(regions, n.cfg.Region) {
		if err := n.load(ctx, region, streamKinds...); err != nil {
			return err
		}
	}
	return n.compareMarks(ctx, marks)
}

// followAll begins to follow Config.Peers.
func (n *Node) followAll(ctx context.Context) error {
	for region, p := range n.cfg.Peers {
		if n.gone(region) { // and still configured here, which is no reason not to start
			n.cfg.Logger.Warn("replica: a peer was removed from the instance, and isn't followed", "region", n.cfg.Region, "peer", region)
			n.park(region, p)
			continue
		}
		if err := n.AddPeer(ctx, region, p); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) connect() (err error) {
	if n.cfg.URL == "" {
		if n.lock, err = lock(n.cfg.Dir); err != nil {
			return &Error{Reason: ReasonConfig, Rule: "Dir", Want: "a directory that can be written and that no other Node has", Got: n.cfg.Dir, Err: err}
		}
		if err := keepPrivate(n.cfg.Dir); err != nil {
			n.cfg.Logger.Warn("replica: Dir is not private", "region", n.cfg.Region, "dir", n.cfg.Dir, "error", err)
		}
		n.server, n.nc, err = startServer(&n.cfg)
	} else {
		opts := ownOptions(n.cfg.Region)
		if n.nc, err = nats.Connect(n.cfg.URL, append(opts, n.cfg.Options...)...); err != nil {
			err = unavailable("connection to "+refusal.Quote(refusal.WithoutUser(n.cfg.URL)), err)
		}
	}
	if err != nil {
		return err
	}
	n.js, err = jetstream.New(n.nc, jetstream.WithPublishAsyncTimeout(writeTimeout), jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, m *nats.Msg, err error) {
		n.cfg.Logger.Debug("replica: a write that nobody waits for", "region", n.cfg.Region, "subject", m.Subject, "error", err)
	}))
	return err
}

// Close stops following and serving, and stops the embedded server. What was
// acknowledged is on disk. Nothing of the Node runs any more when it returns.
func (n *Node) Close() {
	n.once.Do(func() {
		n.readOwn() // so that the marks say all that was acknowledged
		n.mu.Lock()
		n.closed = true
		n.mu.Unlock()
		n.cancel()
		n.tasks.Wait()
		n.copyLastEnds()
		n.lastMarks()
		if n.nc != nil {
			n.nc.Close()
		}
		if n.server != nil {
			n.server.Shutdown()
			n.server.WaitForShutdown()
		}
		if n.lock != nil {
			_ = n.lock.Close() // which lets go of it
		}
	})
}

// start runs a task that Close waits for, or says that it is too late.
func (n *Node) start(task func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.tasks.Go(task)
	}
	return !n.closed
}

// untilClose is ctx, which ends when the Node is closed, too.
func (n *Node) untilClose(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(n.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// Region returns the name of the Node's Region.
func (n *Node) Region() string { return n.cfg.Region }

// Addr returns the address at which other Regions read from the embedded
// server, as their Peer.URL; "" if there is none.
func (n *Node) Addr() string {
	if n.server == nil || n.cfg.Listen == "" {
		return ""
	}
	return n.server.ClientURL()
}

// Ready waits until the Region may serve: at once where it did before, however
// dead the other Regions are, and else when the primary lists the Region and
// all that the primary knows is here. While something keeps a Region from
// serving that was ready, Ready waits again, and says why when ctx ends.
func (n *Node) Ready(ctx context.Context) error {
	for {
		if at := n.removedAt.Load(); at > 0 {
			return removedError(n.cfg.Region, at)
		}
		if err := n.condemned(); err != nil {
			return err
		}
		why, changed := n.stops.look()
		opens := n.ready
		if n.isReady() {
			if opens = nil; why == nil {
				return nil
			}
		}
		select {
		case <-n.left:
			return removedError(n.cfg.Region, n.removedAt.Load())
		case <-opens:
		case <-changed:
		case <-n.ctx.Done():
			return &Error{Reason: ReasonClosed, Rule: "wait for replication", Err: n.ctx.Err()}
		case <-ctx.Done():
			if why != nil {
				e := *why
				e.Err = ctx.Err()
				return &e
			}
			return &Error{Reason: ReasonNotReady, Rule: "wait for replication", Want: "the instance in Region " + n.cfg.Region, Err: ctx.Err()}
		}
	}
}

func (n *Node) isReady() bool {
	select {
	case <-n.ready:
		return true
	default:
		return false
	}
}

// Instance returns the instance as this Region has it, or nil before Ready.
// Updates go through it: what the Region may write is on disk when they return.
// While something keeps the Region from serving, such as ReasonVersion, the
// instance can be read and updates fail with that Reason.
func (n *Node) Instance() *center.Instance {
	if !n.isReady() {
		return nil
	}
	return n.instance.Load()
}

// View returns this Region's view of the instance, or nil before Ready. It is
// the same one from then on, whatever becomes of the Region: where the primary
// doesn't list it any more its updates fail with an *Error, and where it was
// removed it is empty.
func (n *Node) View() *center.View {
	if !n.isReady() {
		return nil
	}
	return n.view.Load()
}

// Sessions returns the sessions of all Regions as this one knows them, and the
// way to make and end them here.
func (n *Node) Sessions() sessions.Store { return sessionStore{n} }

// Codes returns the codes of all Regions.
func (n *Node) Codes() portal.Codes { return codeStore{n} }
