package replica

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A follower copies what another Region writes, for as long as the Node lives.
// It goes straight to that Region, and to nobody on behalf of a request.
type follower struct {
	n      *Node
	region string
	peer   Peer
	cancel context.CancelFunc
	done   chan struct{}

	mu          sync.Mutex
	connected   bool
	refused     bool // its credentials, by the peer
	lag, maxLag time.Duration
	ahead       time.Duration // of the peer's clock, if it is timed
	timed       bool
	flows       map[streamKind]*flow
	copiers     map[streamKind]*copier // the last ones
	judged      map[streamKind]copyEnd // what the peer has of this Region's streams
	latest      atomic.Uint64          // the number of the peer's last start that was heard of
	unmet       *Error                 // why the peer's version can't be followed; nil: it can
}

// AddPeer begins to follow another Region. Following a Region that is followed
// already moves it to the new address. It waits for no answer from there, only
// for the Region's own server, which makes the copies and reads what is in them.
// ctx bounds that: without a deadline AddPeer tries until the Node is closed.
// What it has begun then goes on, and AddPeer may be called again. A Region that
// the primary removed is refused with Reason Removed.
func (n *Node) AddPeer(ctx context.Context, region string, p Peer) error {
	switch {
	case !regionName.MatchString(region) || region == n.cfg.Region:
		return &Error{Reason: ReasonConfig, Rule: "peer", Want: "the name of another Region", Got: region}
	case p.URL == "":
		return &Error{Reason: ReasonConfig, Rule: "URL of peer " + region, Want: "the address of its server", Got: ""}
	case len(n.cfg.Secret) < minSecret && len(p.Options) == 0:
		return &Error{Reason: ReasonConfig, Rule: "Secret", Want: "at least 16 bytes, or Options of the peer with credentials", Got: "fewer"}
	}
	if err := p.checkURL(region); err != nil {
		return err
	}
	n.parting.Lock()
	defer n.parting.Unlock()
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
	f := &follower{n: n, region: region, peer: p, done: make(chan struct{}), flows: map[streamKind]*flow{}, copiers: map[streamKind]*copier{}, judged: map[streamKind]copyEnd{}}
	for _, k := range streamKinds {
		f.flows[k] = &flow{}
	}
	heard, err := n.heardGeneration(ctx, region)
	if err != nil {
		return err
	}
	f.latest.Store(heard)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.followers[region] != nil {
		return &Error{Reason: ReasonClosed, Rule: "peer " + region, Want: "an open Node and one AddPeer at a time"}
	}
	following, stop := context.WithCancel(n.ctx)
	f.cancel = stop
	n.followers[region] = f
	n.tasks.Go(func() { f.run(following) })
	return nil
}

// RemovePeer stops following a Region, at once. What was heard of it stays: only
// its removal by the primary makes this Region erase that.
func (n *Node) RemovePeer(region string) {
	n.mu.Lock()
	delete(n.parked, region)
	n.mu.Unlock()
	if n.unfollow(region) == nil {
		return
	}
	if err := n.copyEnds(n.ctx, region); err != nil { // it is tried again
		n.cfg.Logger.Warn("replica: what a peer ended is not copied yet", "region", n.cfg.Region, "peer", region, "error", err)
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

// Bounds of the time between two attempts to reach a peer.
const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = 2 * time.Second
)

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
			f.n.cfg.Logger.Warn("replica: peer lost", "region", f.n.cfg.Region, "peer", f.region, "error", err)
		}
		pause(ctx, wait/2+mathrand.N(wait))
		wait = min(2*wait, maxBackoff)
	}
}

// session is one connection. It ends at the first trouble with anything, and
// says whether the peer was met at all.
func (f *follower) session(ctx context.Context) (met bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	nc, err := f.connect(func(err error) { cancel(err) })
	if err != nil {
		for _, k := range streamKinds { // what the last session left to be copied comes again
			f.progressed(k)
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
func (f *follower) follow(ctx context.Context, nc *nats.Conn, k streamKind) error {
	var broken brokenCopy
	for {
		c, err := f.copier(ctx, k)
		began := c.last
		for err == nil {
			err = f.step(ctx, nc, c)
		}
		switch {
		case errors.Is(err, errSuspected):
			err = f.makeAgain(k)
		case errors.Is(err, errConflict):
			// Another node of this Region copies too, and is ahead. Two at once do
			// no harm, but no good either.
			pause(ctx, time.Second)
			err = broken.mend(ctx, f, k, began)
		}
		if errors.Is(err, errNotCopied) {
			f.n.cfg.Logger.Warn("replica: not copied, will try again", "region", f.n.cfg.Region, "stream", k.stream(f.region), "error", err)
			err = f.hearOnly(ctx, nc, c)
		}
		if err != nil {
			return err
		}
	}
}

// step asks the peer once and copies what it answers. It waits for the Region's
// own server for seconds at most, and then returns errNotCopied: what ends access
// is to be heard without that server.
func (f *follower) step(ctx context.Context, nc *nats.Conn, c *copier) error {
	asked := f.n.cfg.Now()
	q := f.question(c.kind, position{c.at.store, max(c.at.seq, c.past)})
	q.Proof, q.Differs = f.n.shown(c), f.differs(c.kind)
	a, err := f.ask(ctx, nc, q)
	if err != nil {
		f.progressed(c.kind)
		return err
	}
	f.beShown(ctx, c.kind, a.Copy)
	if why := cmp.Or(older(q, a), f.n.doubt(c, a)); why != "" {
		f.doubts(c.kind, why, false)
		if f.n.progress.wait(ctx, c.kind.stream(f.region), c.at, 0) {
			f.progressed(c.kind)
		}
		pause(ctx, f.n.cfg.Heartbeat)
		return nil
	}
	if f.n.copies.toRemake(copyOf{f.region, c.kind}) && f.n.server != nil {
		return errSuspected
	}
	f.heardStart(a)
	f.behind(c.kind)
	f.measureClock(asked, a)
	anew := a.Store != q.Store || a.After < q.After || q.Differs && a.Again // the original was made again, or lost its end
	if anew {
		c.anew(a.Store)
		c.heard, c.asm = c.at, merge.Assembler{}
		if a.Store == q.Store { // positions in another store can't be taken for this one's
			f.n.progress.forget(c.kind.stream(f.region))
		}
	}
	f.met(c.kind, a, anew)
	if q.Differs && a.Again {
		return nil // this answer follows what was there
	}
	if f.caughtUp(c.kind) { // before that it costs more than it gives
		c.hear(a)
	}
	f.n.beforeCopy(ctx, c, a)
	if err := f.n.stalled(c.kind.stream(f.region)); err != nil {
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
		f.progressed(c.kind)
		return nil
	}
	c.past = max(c.past, a.Last)
	if f.n.progress.wait(ctx, c.kind.stream(f.region), c.at, f.n.cfg.Heartbeat) {
		f.progressed(c.kind) // whatever the comparison says: that is not this Region's server
		switch is, why := f.n.compare(c, a); {
		case is == overtaken:
			return errConflict
		case is == unlike:
			f.doubts(c.kind, why, true)
			return nil
		case is == unsaid && (a.Digest != nil || q.Differs): // a later answer tells
			return nil
		}
		f.n.trust(c, a)
		f.reached(c.kind, asked)
	}
	return nil
}

// question asks for what follows a position.
func (f *follower) question(k streamKind, after position) question {
	return question{Line: k, Store: after.store, After: after.seq, Nonce: rand.Text(), Heard: f.latest.Load(), Wait: f.n.cfg.Heartbeat.Milliseconds(), Formats: f.n.cfg.formats}
}

// ask puts one question. The answer may take as long as a heartbeat. Whoever
// knows Secret can have the peer send answers to questions of their own here:
// what does not bear this question's Nonce is not for us.
func (f *follower) ask(ctx context.Context, nc *nats.Conn, q question) (a answer, err error) {
	q.From = f.n.cfg.Region
	b, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.n.cfg.Heartbeat+5*time.Second)
	defer cancel()
	inbox := inboxPeer + "." + rand.Text()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return a, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := nc.PublishRequest(peerSubject(f.region), inbox, b); err != nil {
		return a, err
	}
	for a.Nonce != q.Nonce {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return a, errors.Join(err, context.Cause(ctx))
		}
		a = answer{}
		if err := json.Unmarshal(m.Data, &a); err != nil {
			return a, &Error{Reason: ReasonCorrupt, Rule: "answer of Region " + f.region, Want: "JSON", Err: err}
		}
	}
	if err := f.n.cfg.meets(f.region, a.Formats); err != nil {
		f.incompatible(err)
		return a, err
	}
	f.incompatible(nil)
	if err := f.standing(a); err != nil {
		return a, err
	}
	if a.Refused != "" {
		return a, nil
	}
	if a.Error != "" || a.Store == "" {
		return a, &Error{Reason: ReasonUnavailable, Rule: "answer of Region " + f.region, Want: "a piece of its stream", Got: a.Error}
	}
	return a, a.check(q)
}

// check refuses an answer that would leave something out.
func (a answer) check(q question) error {
	if a.After != 0 && (a.After != q.After || a.Store != q.Store) {
		return &Error{Reason: ReasonCorrupt, Rule: "answer", Want: fmt.Sprintf("what follows %d, or all", q.After), Got: fmt.Sprintf("what follows %d", a.After)}
	}
	last := a.After
	for _, m := range a.Messages {
		if m.Seq <= last {
			return &Error{Reason: ReasonCorrupt, Rule: "answer", Want: fmt.Sprintf("a message after %d", last), Got: fmt.Sprint(m.Seq)}
		}
		last = m.Seq
	}
	return nil
}

// dial makes a connection that isn't mended when it breaks: a session begins
// anew then, and looks again whom it is talking to.
func (f *follower) dial(secret string, lost func(error)) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name("meridian " + f.n.cfg.Region), nats.NoReconnect(), nats.Timeout(2 * time.Second),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2), nats.CustomInboxPrefix(inboxPeer),
		nats.IgnoreDiscoveredServers(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { lost(err) }),
		nats.ClosedHandler(func(nc *nats.Conn) { lost(nats.ErrConnectionClosed) }),
	}
	if secret != "" {
		opts = append(opts, nats.UserInfo(userPeer, secret))
	}
	if f.peer.TLS != nil {
		opts = append(opts, nats.Secure(f.peer.TLS))
	}
	return nats.Connect(f.peer.URL, append(opts, f.peer.Options...)...)
}
