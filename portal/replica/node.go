package replica

import (
	"context"
	"maps"
	"os"
	"slices"
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
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// A Node is one Region's replica of the instance and of all sessions. It is safe for concurrent use.
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
	identity      atomic.Pointer[integrity.Identity] // replaced as a whole
	generation    integrity.Generation
	backup        *restored             // what Open restores; nil afterwards
	damage        atomic.Pointer[Error] // why the Region has stopped; nil: it runs
	clockMost     atomic.Int64          // see latestClock
	marked        map[string]uint64     // the marks that were written, by stream; watch's

	ledger      *ledger
	progress    *progress
	looked      lookUps
	contents    contents
	copies      copies
	pendingEnds pendingEnds
	uncopied    *uncopiedEnds
	stall       stall
	refused     atomic.Pointer[map[string]string] // the streams that the embedded server accepts no writes to
	wake        chan struct{}                     // maintenanceLoop's
	writes      writes
	auditing    auditing
	catchUps    *sharedRounds
	agreements  map[streamKind]*agreements // never changed

	// applying guards the fields below. Code that applies changes of other Regions holds it until the instance is
	// changed, so that changes take effect in their order. An update made here holds the instance's own lock already,
	// so it only tries to acquire this one.
	applying  sync.Mutex
	dir       *merge.Directory
	fulls     map[string]fullAt // of copies, by Region
	log       ownLog
	touched   []merge.Name    // in dir, not shown by the instance yet
	unapplied []arrival       // that touched them
	lastApply time.Time       // when the instance was last told
	hidden    map[string]bool // Regions whose applications are not shown

	instance atomic.Pointer[center.Instance]
	view     atomic.Pointer[center.View] // set before ready is closed
	ready    chan struct{}               // closed when the Region may serve
	refusals limiter                     // of questions, for the log
	claims   history[regionStream]       // of followers' copies
	stops    *stops
	// staleRead: a message that was read should be sealed again.
	staleRead atomic.Bool
	// plainCopy: a copy of another Region's stream has plain text that this Node doesn't accept.
	plainCopy atomic.Pointer[regionStream]

	standings atomic.Pointer[map[string]merge.Standing] // nil: not known yet
	unlisted  atomic.Bool                               // the primary said so last
	removedAt atomic.Uint64                             // the stamp of this Region's removal; 0: none
	left      chan struct{}                             // closed when it was removed
	erased    chan struct{}                             // closed when everything is erased then

	// following is held while a Region is added to those that are followed, or removed. It guards dropped.
	following sync.Mutex
	dropped   map[string]dropState
	removing  map[string]time.Time // since when this Node knows of Regions that are being removed; the maintenance's
	parked    sync.Map             // Region → Peer, of Regions that were removed
	cleared   sync.Map             // regionStream → true, of followers' copies that may be read from the start

	mu        sync.Mutex // guards the fields below
	closed    bool
	readers   map[string][]*reader // by Region
	followers map[string]*follower
	questions *nats.Subscription
	leaders   map[streamKind]time.Time // since when the leaders of streams seem wrong
}

// Open starts a Node. It returns when the Region's own server runs and its data has been read. It doesn't wait for
// other Regions: see Ready. An error is an *Error, or the *center.Error of an invalid Seed. A Region that the primary
// removed fails with Reason Removed, until the primary, which has to be in Config.Peers then, has added it again.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	cfg.defaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	n := &Node{
		cfg: cfg, ledger: newLedger(cfg.Region, cfg.Primary, cfg.entries...),
		dir:      merge.NewDirectory(cfg.Primary, cfg.kinds...),
		progress: newProgress(), uncopied: newUncopiedEnds(), stops: newStops(),
		pendingEnds: pendingEnds{writes: map[string]func(context.Context) error{}},
		catchUps:    newSharedRounds(catchUpEvery), agreements: map[streamKind]*agreements{},
		fulls: map[string]fullAt{}, hidden: map[string]bool{}, log: ownLog{wrote: map[uint64]bool{}},
		auditing: newAuditing(),
		wake:     make(chan struct{}, 1), ready: make(chan struct{}), left: make(chan struct{}), erased: make(chan struct{}),
		readers: map[string][]*reader{}, followers: map[string]*follower{},
		dropped: map[string]dropState{}, removing: map[string]time.Time{}, leaders: map[streamKind]time.Time{},
	}
	for _, k := range streamKinds {
		n.agreements[k] = &agreements{rounds: newSharedRounds(0)}
	}
	n.refused.Store(&map[string]string{})
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
	// The marks are read before the streams: another Node of the Region may go on writing.
	var marks map[string]integrity.Mark
	err := inOrder(ctx, n.checkKey,
		n.checkRemoved, n.unpack, n.resume, n.establish, n.openNames, n.recover, // check and repair the streams
		func(ctx context.Context) (err error) { marks, err = n.readMarks(ctx); return err },
		n.readCopyMarks, n.readErased, n.letInSince, n.readStreams,
		func(ctx context.Context) error { return n.compareMarks(ctx, marks) },
		n.initInstance, n.compareCopies, n.markFormat, n.firstMarks, n.clearRestoring)
	if err != nil {
		return err
	}
	n.sweep() // otherwise the counts of removed Regions would end sessions again
	if err := n.servePeers(); err != nil {
		return err
	}
	n.wakeMaintenance() // for a Region whose removal had begun
	n.start(n.maintenanceLoop)
	n.start(n.watch)
	n.start(n.repeatEnds)
	if n.cfg.Sealer != nil {
		n.start(n.watchKey)
	}
	if n.server != nil {
		n.start(n.watchServer)
	}
	if n.cfg.Audit != nil {
		n.start(n.writeAudits)
	}
	if all := n.cfg.observers(); len(all) > 0 {
		n.start(func() {
			for ; n.ctx.Err() == nil; pause(n.ctx, n.cfg.ObserveEvery) {
				n.observe(all)
			}
		})
	}
	return n.followAll(ctx)
}

// inOrder calls functions until one fails.
func inOrder(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readStreams reads the Region's own streams and its copies into memory.
func (n *Node) readStreams(ctx context.Context) error {
	all, err := n.streamsToRead(ctx)
	for _, region := range slices.Sorted(maps.Keys(all)) {
		if err = n.load(ctx, region, all[region]...); err != nil {
			break
		}
	}
	if c := n.plainCopy.Load(); err == nil && c != nil {
		return newError(ReasonConfig, "InsecureOpenPlaintext", "true: the copy of stream "+c.kind.stream(c.region)+
			" has plain text of an earlier start, until that Region answers", "false")
	}
	return err
}

// followAll begins to follow Config.Peers.
func (n *Node) followAll(ctx context.Context) error {
	for region, p := range n.cfg.Peers {
		if n.gone(region) { // Config.Peers may still list it; that must not prevent the start
			n.cfg.Logger.Warn("replica: a peer was removed from the instance, and isn't followed", "peer", region)
			n.parked.Store(region, p)
		} else if err := n.AddPeer(ctx, region, p); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) connect() (err error) {
	if n.cfg.URL == "" {
		if n.lock, err = lock(n.cfg.Dir); err != nil {
			return &Error{Reason: ReasonConfig, Rule: "Dir", Want: "a writable directory that no other Node uses",
				Got: n.cfg.Dir, Err: err}
		}
		if err := keepPrivate(n.cfg.Dir); err != nil {
			n.cfg.Logger.Warn("replica: Dir is not private", "dir", n.cfg.Dir, "error", err)
		}
		n.server, n.nc, err = startServer(&n.cfg)
	} else {
		// A frozen server keeps the connection and doesn't answer. The client connects to another one after three
		// seconds. By default it would take four minutes or more.
		opts := []nats.Option{
			nats.Name("meridian " + n.cfg.Region), nats.CustomInboxPrefix(inboxNode),
			nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.Timeout(2 * time.Second),
			nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2),
		}
		if n.nc, err = nats.Connect(n.cfg.URL, append(opts, n.cfg.Options...)...); err != nil {
			err = unavailable("connection to "+refusal.Quote(refusal.WithoutUser(n.cfg.URL)), err)
		}
	}
	if err != nil {
		return err
	}
	failed := func(_ jetstream.JetStream, m *nats.Msg, err error) {
		n.cfg.Logger.Debug("replica: asynchronous write failed", "subject", m.Subject, "error", err)
	}
	n.js, err = jetstream.New(n.nc, jetstream.WithPublishAsyncTimeout(writeTimeout),
		jetstream.WithPublishAsyncErrHandler(failed))
	return err
}

// Close stops following and serving, and stops the embedded server. Everything that was acknowledged is on disk.
// When it returns, all goroutines of the Node have ended.
func (n *Node) Close() {
	n.once.Do(func() {
		n.readOwn() // so that the marks cover everything that was acknowledged
		n.mu.Lock()
		n.closed = true
		n.mu.Unlock()
		n.cancel()
		n.tasks.Wait()
		n.writeLast()
		if n.nc != nil {
			n.nc.Close()
		}
		if n.server != nil {
			n.server.Shutdown()
			n.server.WaitForShutdown()
		}
		if n.lock != nil {
			_, _ = unlockFile(n.lock), n.lock.Close()
		}
	})
}

// start starts a goroutine that Close waits for, and returns false if the Node is closed.
func (n *Node) start(task func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.tasks.Go(task)
	}
	return !n.closed
}

// untilClose returns a context that ends with ctx or when the Node is closed.
func (n *Node) untilClose(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(n.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// Region returns the name of the Node's Region.
func (n *Node) Region() string { return n.cfg.Region }

// Addr returns the address of the embedded server, for other Regions' Peer.URL; "" if there is none.
func (n *Node) Addr() string {
	if n.server == nil || n.cfg.Listen == "" {
		return ""
	}
	return n.server.ClientURL()
}

// Ready waits until the Region may serve. A Region that served before is ready at once, even if no other Region is
// reachable. A new Region is ready when the primary lists it and all data of the primary has arrived. If a Region that
// was ready can't serve, Ready waits again, and returns the cause when ctx ends.
func (n *Node) Ready(ctx context.Context) error {
	for {
		if at := n.removedAt.Load(); at > 0 {
			return removedError(n.cfg.Region, at)
		}
		if err := n.damageFound(); err != nil {
			return err
		}
		why, changed := n.stops.first()
		opens := n.ready
		if n.isReady() {
			if opens = nil; why == nil {
				return nil
			}
		}
		select {
		case <-n.left:
		case <-opens:
		case <-changed:
		case <-n.ctx.Done():
			return &Error{Reason: ReasonClosed, Rule: "wait for replication", Err: n.ctx.Err()}
		case <-ctx.Done():
			if why == nil {
				why = newError(ReasonNotReady, "wait for replication", "the instance in Region "+n.cfg.Region, "")
			}
			e := *why
			e.Err = ctx.Err()
			return &e
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

// Instance returns this Region's copy of the instance, or nil before Ready. Updates through it are on disk when they
// return. If the Region can't serve, it can be read, and updates fail.
func (n *Node) Instance() *center.Instance {
	if !n.isReady() {
		return nil
	}
	return n.instance.Load()
}

// View returns this Region's view of the instance, or nil before Ready. After that it always returns the same view. If
// the primary no longer lists the Region, updates fail with an *Error. If the Region was removed, the view is empty.
func (n *Node) View() *center.View {
	if !n.isReady() {
		return nil
	}
	return n.view.Load()
}

// Sessions returns the sessions of all Regions.
func (n *Node) Sessions() sessions.Store { return sessionStore{n} }

// Shortcuts returns the shortcuts of all users, in all Regions.
func (n *Node) Shortcuts() shortcuts.Store { return shortcutStore{n} }

// Codes returns the codes of all Regions.
func (n *Node) Codes() portal.Codes { return codeStore{n} }
