package replica

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A follower copies another Region's streams until it is stopped. It connects to that Region directly.
type follower struct {
	n      *Node
	region string
	peer   Peer
	cancel context.CancelFunc
	done   chan struct{}
	latest atomic.Uint64 // the highest known number of a start of the peer

	refused      atomic.Bool           // credentials, by the peer
	incompatible atomic.Pointer[Error] // why the peer's version can't be followed; nil: it can

	mu          sync.Mutex
	connected   bool
	lag, maxLag time.Duration
	ahead       time.Duration // of the peer's clock, if it is timed
	timed       bool
	flows       map[streamKind]*flow
}

// A flow is the progress of following one stream of a peer since then.
type flow struct {
	store          string
	met            bool
	baseline       uint64    // elements in the original at the first answer
	arrived, total uint64    // elements of the initial replication
	copied, toCopy uint64    // likewise, of the peer's own from here, as the peer says
	heard          time.Time // all that was written before this instant has arrived
	behind         time.Time // since when an answer waits to be applied; zero: none does
	rejected       string    // why the peer's answer is not accepted; "": it is
	differs        bool      // the copy differs from the original
	compared       copyEnd   // what the peer has of this Region's stream
	copier         *copier   // the last one
}

func (n *Node) newFollower(region string, p Peer) *follower {
	f := &follower{n: n, region: region, peer: p, done: make(chan struct{}), flows: map[streamKind]*flow{}}
	for _, k := range streamKinds {
		f.flows[k] = &flow{}
	}
	return f
}

// flow returns a copy of a flow.
func (f *follower) flow(k streamKind) flow {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *f.flows[k]
}

// follower returns the follower of a Region, or nil.
func (n *Node) follower(region string) *follower {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.followers[region]
}

// AddPeer begins to follow another Region. For a Region that is followed already, it changes the address. It doesn't
// wait for the other Region. It waits only for this Region's own server, which creates and reads the copies. ctx bounds
// this wait; without a deadline AddPeer tries until the Node is closed. If ctx ends first, the work continues, and
// AddPeer may be called again. A Region that the primary has removed is refused with Reason Removed.
func (n *Node) AddPeer(ctx context.Context, region string, p Peer) error {
	switch {
	case !regionName.MatchString(region) || region == n.cfg.Region:
		return newError(ReasonConfig, "peer", "the name of another Region", region)
	case p.URL == "":
		return newError(ReasonConfig, "URL of peer "+region, "the address of its server", "")
	case len(n.cfg.Secret) < minSecret && len(p.Options) == 0:
		return newError(ReasonConfig, "Secret", "at least 16 bytes, or Options of the peer with credentials", "fewer")
	}
	if err := p.checkURL(region); err != nil {
		return err
	}
	n.following.Lock()
	defer n.following.Unlock()
	if at := n.removedAt.Load(); at > 0 {
		return removedError(n.cfg.Region, at)
	} else if s, _ := n.standingOf(region); n.gone(region) {
		return removedError(region, s.Removed)
	}
	n.RemovePeer(region)
	n.uncopied.release(region, true)
	ctx, cancel := n.untilClose(ctx)
	defer cancel()
	for _, k := range streamKinds {
		if err := n.ensure(ctx, k, region); err != nil {
			return err
		}
	}
	if err := n.load(ctx, region, streamKinds...); err != nil {
		return err
	}
	f := n.newFollower(region, p)
	heard, err := n.heardGeneration(ctx, region)
	if err != nil {
		return err
	}
	f.latest.Store(heard)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.followers[region] != nil {
		return newError(ReasonClosed, "peer "+region, "an open Node and one AddPeer at a time", "")
	}
	following, stop := context.WithCancel(n.ctx)
	f.cancel = stop
	n.followers[region] = f
	n.tasks.Go(func() { f.run(following) })
	return nil
}

// RemovePeer stops following a Region at once. The data that has arrived from it stays. Only the primary can remove a
// Region.
func (n *Node) RemovePeer(region string) {
	n.parked.Delete(region)
	if n.unfollow(region) == nil {
		return
	}
	if err := n.copyEnds(n.ctx, region); err != nil { // it is tried again
		n.cfg.Logger.Warn("replica: revocations of a peer are not copied yet", "peer", region, "error", err)
	}
}

// unfollow returns the follower that it stopped, or nil.
func (n *Node) unfollow(region string) *follower {
	n.mu.Lock()
	f := n.followers[region]
	delete(n.followers, region)
	n.mu.Unlock()
	if f != nil {
		f.cancel()
		<-f.done
	}
	return f
}

func (f *follower) run(ctx context.Context) {
	defer close(f.done)
	wait := minBackoff
	for ctx.Err() == nil {
		met, err := f.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if met {
			wait = minBackoff
			f.n.cfg.Logger.Warn("replica: peer lost", "peer", f.region, "error", err)
		}
		pause(ctx, wait/2+mathrand.N(wait))
		wait = min(2*wait, maxBackoff)
	}
}

// session is one connection. It ends at the first error, and returns whether the peer answered at all.
func (f *follower) session(ctx context.Context) (met bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	nc, err := f.connect(func(err error) { cancel(err) })
	if err != nil {
		for _, k := range streamKinds { // messages that the last session didn't copy are requested again
			f.setBehind(k, false)
		}
		return false, err
	}
	defer nc.Close()
	var tasks sync.WaitGroup
	for _, k := range streamKinds {
		tasks.Go(func() { cancel(f.follow(ctx, nc, k)) })
	}
	tasks.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	met, f.connected = f.connected, false
	return met, context.Cause(ctx)
}

// follow copies one stream until something fails.
func (f *follower) follow(ctx context.Context, nc *peerConn, k streamKind) error {
	for conflicts := 0; ; {
		c, err := f.copier(ctx, k)
		began := c.last
		for err == nil {
			err = f.step(ctx, nc, c)
		}
		switch {
		case errors.Is(err, errSuspected):
			err = f.recopy(k)
		case errors.Is(err, errConflict):
			// Another Node of this Region copies too, and is ahead. That is harmless, but a second copier is useless.
			pause(ctx, time.Second)
			err = f.rebuildCopy(ctx, k, began, &conflicts)
		}
		if errors.Is(err, errNotCopied) {
			f.n.cfg.Logger.Warn("replica: not copied, will try again", "stream", k.stream(f.region), "error", err)
			err = f.hearOnly(ctx, nc, c)
		}
		if err != nil {
			return err
		}
	}
}

// step sends the peer one question and copies the answer. It waits for the Region's own server for seconds at most, and
// then returns errNotCopied: messages that end access are applied without that server.
func (f *follower) step(ctx context.Context, nc *peerConn, c *copier) error {
	n, stream := f.n, c.kind.stream(f.region)
	asked := n.cfg.Now()
	q := f.question(c.kind, position{c.at.store, max(c.at.seq, c.past)})
	q.Proof, q.Differs = n.shown(c), f.flow(c.kind).differs
	a, why, err := f.fetch(ctx, nc, c, q)
	if err != nil {
		return err
	}
	if why != "" {
		f.noteRejected(c.kind, why, false)
		if n.progress.wait(ctx, stream, c.at, 0) {
			f.setBehind(c.kind, false)
		}
		pause(ctx, n.cfg.Heartbeat)
		return nil
	}
	replaced := a.Store != q.Store && c.unsealed // by the stream in which its Region has sealed everything
	if replaced || n.copies.toRecopy(regionStream{f.region, c.kind}) && n.server != nil {
		return errSuspected
	}
	f.heardStart(a)
	f.setBehind(c.kind, true)
	f.measureClock(asked, a)
	// anew: the original was created again or lost its end, or the copy is wrong.
	anew := a.Store != q.Store || a.After < q.After || q.Differs && a.Again
	if anew {
		c.anew(a.Store)
		c.heard, c.asm = c.at, merge.Assembler{}
		if a.Store == q.Store { // positions in another store can't be taken for this one's
			n.progress.forget(stream)
		}
	}
	f.countProgress(c.kind, a, anew)
	if q.Differs && a.Again {
		return nil // this answer follows the old position
	}
	if !f.flow(c.kind).heard.IsZero() { // before that, deleting is not worth its cost
		c.hear(a)
	}
	n.beforeCopy(ctx, c, a)
	if err := n.stalled(stream); err != nil {
		return errors.Join(errNotCopied, err)
	}
	for _, m := range a.Messages {
		if err := c.copy(ctx, a.Store, m); err != nil {
			return err
		}
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	if a.Pending > 0 {
		f.setBehind(c.kind, false)
		return nil
	}
	c.past = max(c.past, a.Last)
	if n.progress.wait(ctx, stream, c.at, n.cfg.Heartbeat) {
		f.setBehind(c.kind, false) // whatever the comparison says: that is not this Region's server
		result, why := n.compare(c, a)
		switch {
		case result == copyOvertaken:
			return errConflict
		case result == copyDiffers:
			f.noteRejected(c.kind, why, true)
			return nil
		case result == noDigest && (a.Digest != nil || q.Differs): // a later answer tells
			return nil
		}
		if result == copyEqual || a.Generation == nil { // older versions send no digest
			n.clearSuspicion(c)
		}
		f.noteApplied(c.kind, asked)
	}
	return nil
}

// fetch sends a question. The string is the reason why the answer is not accepted, or "".
func (f *follower) fetch(ctx context.Context, nc *peerConn, c *copier, q question) (a answer, why string, err error) {
	if a, err = f.ask(ctx, nc, q); err != nil {
		f.setBehind(c.kind, false)
		return a, "", err
	}
	f.checkShown(ctx, c.kind, a.Copy)
	return a, f.n.rejectReason(c, q, a), nil
}

// setBehind notes whether an answer is waiting to be applied.
func (f *follower) setBehind(k streamKind, behind bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch w := f.flows[k]; {
	case !behind:
		w.behind = time.Time{}
	case w.behind.IsZero():
		w.behind = time.Now()
	}
}
