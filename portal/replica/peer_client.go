package replica

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal"
)

// question returns the question for the messages after a position.
func (f *follower) question(k streamKind, after position) question {
	w := f.flow(k)
	return question{
		Copied: w.arrived, ToCopy: w.total,
		Line: k, From: f.n.cfg.Region, Store: after.store, After: after.seq, Nonce: rand.Text(),
		Heard: f.latest.Load(), Wait: f.n.cfg.Heartbeat.Milliseconds(), Formats: f.n.cfg.formats,
	}
}

// ask sends one question, and checks the answer. The answer may take as long as three heartbeats.
func (f *follower) ask(ctx context.Context, nc *peerConn, q question) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, (quietTicks+1)*f.n.cfg.Heartbeat+5*time.Second)
	defer cancel()
	if a, err = nc.ask(ctx, q); err != nil {
		return a, err
	}
	nc.noteQuiet(q.Line, a)
	incompatible := f.n.cfg.checkFormats(f.region, a.Formats)
	f.setIncompatible(incompatible)
	if incompatible != nil {
		return a, incompatible
	}
	if err := f.noteListing(a); err != nil {
		return a, err
	}
	if a.Refused != "" {
		return a, nil
	}
	if a.Error != "" || a.Store == "" {
		return a, newError(ReasonUnavailable, "answer of Region "+f.region, "a piece of its stream", a.Error)
	}
	return a, a.check(q)
}

// check returns an error if an answer is incomplete.
func (a answer) check(q question) error {
	if a.After != 0 && (a.After != q.After || a.Store != q.Store) {
		return newError(ReasonCorrupt, "answer", fmt.Sprintf("the messages after %d, or all", q.After),
			fmt.Sprintf("the messages after %d", a.After))
	}
	last := a.After
	for _, m := range a.Messages {
		if m.Seq <= last {
			return newError(ReasonCorrupt, "answer", fmt.Sprintf("a message after %d", last), fmt.Sprint(m.Seq))
		}
		last = m.Seq
	}
	return nil
}

// connect dials the peer. If it refuses Secret, which is being changed then, the old ones are tried too.
func (f *follower) connect(lost func(error)) (nc *peerConn, err error) {
	all := f.n.cfg.secrets()
	if len(all) == 0 {
		all = []string{""} // Options of the peer have the credentials
	}
	for _, secret := range all {
		if nc, err = f.dial(secret, lost); !errors.Is(err, nats.ErrAuthorization) {
			break
		}
	}
	f.logRefusal(err)
	return nc, err
}

// logRefusal logs that a peer refuses this Region's credentials, once until it accepts them.
func (f *follower) logRefusal(err error) {
	switch refused := errors.Is(err, nats.ErrAuthorization); {
	case refused && !f.refused.Swap(true):
		f.n.cfg.Logger.Warn("replica: a peer refuses the credentials of this Region, such as its Secret", "peer", f.region,
			"error", err)
	case err == nil && f.refused.Swap(false):
		f.n.cfg.Logger.Info("replica: a peer accepts the credentials of this Region again", "peer", f.region)
	}
}

// setIncompatible notes why a peer's version can't be followed, or (nil) that it can. It is logged once. The follower
// continues to ask, because the peer may be upgraded at any time.
func (f *follower) setIncompatible(err *Error) {
	switch was := f.incompatible.Swap(err); {
	case err != nil && was == nil:
		f.n.cfg.Logger.Error("replica: peer not followed", "peer", f.region, "error", err)
	case err == nil && was != nil:
		f.n.cfg.Logger.Info("replica: peer followed again", "peer", f.region)
	}
}

// dial makes a connection that doesn't reconnect: the session begins anew then, and authenticates the peer again.
func (f *follower) dial(secret string, lost func(error)) (*peerConn, error) {
	opts := []nats.Option{
		nats.Name("meridian " + f.n.cfg.Region), nats.NoReconnect(), nats.Timeout(2 * time.Second),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2), nats.CustomInboxPrefix(inboxPeer),
		nats.IgnoreDiscoveredServers(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { lost(err) }),
		nats.ClosedHandler(func(*nats.Conn) { lost(nats.ErrConnectionClosed) }),
	}
	if secret != "" {
		opts = append(opts, nats.UserInfo(userPeer, secret))
	}
	if f.peer.TLS != nil {
		opts = append(opts, nats.Secure(f.peer.TLS))
	}
	nc, err := nats.Connect(f.peer.URL, append(opts, f.peer.Options...)...)
	if err != nil {
		return nil, err
	}
	c, err := f.newPeerConn(nc, inboxPeer+"."+rand.Text(), lost)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// Peers returns the Regions that are followed, sorted by name, without a request. A Node is a portal.Replication.
func (n *Node) Peers() []portal.Peer {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]portal.Peer, 0, len(n.followers))
	for _, f := range n.followers {
		out = append(out, f.status())
	}
	slices.SortFunc(out, func(a, b portal.Peer) int { return strings.Compare(a.Region, b.Region) })
	return out
}

// status is the peer's state for the portal. Heard is the earliest of all streams.
func (f *follower) status() portal.Peer {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := portal.Peer{
		Region: f.region, State: portal.PeerReplicating, Heard: f.heard(), Lag: f.lag, MaxLag: f.maxLag,
		ClockAhead: f.ahead, ClockKnown: f.timed,
	}
	// A peer without new messages answers at each Heartbeat.
	maxAge := 5*f.n.cfg.Heartbeat + 2*time.Second
	if !p.Heard.IsZero() && f.n.cfg.Now().Sub(p.Heard) <= maxAge && !f.n.copies.suspected(f.region, streamKinds...) {
		p.State = portal.PeerReplicated
	}
	for _, w := range f.flows {
		p.Done, p.Total = p.Done+w.arrived, p.Total+w.total
		p.Copied, p.ToCopy = p.Copied+w.copied, p.ToCopy+w.toCopy
		if w.rejected != "" {
			p.State = portal.PeerDamaged
		}
	}
	if !f.connected {
		p.State = portal.PeerUnreachable
	}
	if f.incompatible.Load() != nil {
		p.State = portal.PeerIncompatible
	}
	return p
}

// heard is the earliest of the streams' instants. The caller holds mu.
func (f *follower) heard() (t time.Time) {
	for i, k := range streamKinds {
		if h := f.flows[k].heard; i == 0 || h.Before(t) {
			t = h
		}
	}
	return t
}

// countProgress adds an answer to the progress, in elements of transactions. anew: the stream is read from its start.
func (f *follower) countProgress(k streamKind, a answer, anew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.connected = true
	w := f.flows[k]
	if !w.met || anew {
		*w = flow{
			store: a.Store, met: true, behind: w.behind, compared: w.compared, copier: w.copier,
			copied: w.copied, toCopy: w.toCopy,
		}
	}
	if !w.heard.IsZero() {
		return
	}
	w.baseline = max(w.baseline, a.end())
	for _, m := range a.Messages {
		p, ok := readPartHeader(m.Part)
		if !ok {
			p.elements = 1
		}
		w.arrived += uint64(p.elements)
		if ok && p.part == 0 { // the other parts' elements are yet to come
			w.total = max(w.total, w.arrived-uint64(p.elements)+uint64(p.total))
		}
	}
	w.total = max(w.total, w.arrived+a.Pending)
}

// noteCopied notes how far the Region that asks has come with its own initial replication from here. A question about
// something else has no effect, nor has one of a Region that isn't followed.
func (n *Node) noteCopied(q question) {
	f := n.follower(q.From)
	if f == nil || q.Of != "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.flows[q.Line]
	w.copied, w.toCopy = min(q.Copied, q.ToCopy), q.ToCopy
}

// noteApplied notes that all messages in a stream from before a question have taken effect here.
func (f *follower) noteApplied(k streamKind, asked time.Time) {
	f.mu.Lock()
	first := f.heard().IsZero()
	w := f.flows[k]
	w.heard, w.total, w.rejected, w.differs = asked, w.arrived, "", false
	first = first && !f.heard().IsZero()
	f.mu.Unlock()
	if first {
		f.n.cfg.Logger.Info("replica: replicated", "peer", f.region)
		f.n.wakeMaintenance()
	}
}

// measure notes how long a change took to arrive, if it was made after the follower's first answer.
func (f *follower) measure(a arrival, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.flows[a.kind]
	if a.store == "" || a.store != w.store || a.seq <= w.baseline || w.heard.IsZero() {
		return
	}
	f.lag = max(now.Sub(a.at), time.Microsecond) // a clock that is ahead
	f.maxLag = max(f.maxLag, f.lag)
}

// measureClock compares the clock in an answer, which was held, with the time half way between question and answer.
// It is only reported: package portal decides by it, together with verified assertions.
func (f *follower) measureClock(asked time.Time, a answer) {
	now := f.n.cfg.Now()
	trip := now.Sub(asked) - time.Duration(a.Held)*time.Microsecond
	if a.Now == 0 || trip < 0 || trip > maxTrip {
		return
	}
	ahead := time.UnixMicro(a.Now).Sub(now.Add(-trip / 2))
	skew := f.n.cfg.Skew
	f.mu.Lock()
	wrong, before := ahead.Abs() > skew, f.ahead.Abs() > skew
	f.ahead, f.timed = ahead, true
	f.mu.Unlock()
	if wrong && !before {
		f.n.cfg.Logger.Warn("replica: this clock and a peer's differ by more than Config.Skew", "peer", f.region,
			"peer_ahead", ahead.Round(time.Second).String())
	}
}
