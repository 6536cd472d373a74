package replica

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// A flow is how far one stream of a peer has been followed since then.
type flow struct {
	store          string
	met            bool
	baseline       uint64    // what the original held when it was first met
	arrived, total uint64    // elements of the initial replication
	heard          time.Time // all that was written before is here
	behind         time.Time // since when an answer waits to be applied; zero: none does
	doubt          string    // why what the peer says now isn't believed; "": it is
	differs        bool      // the copy holds something else than the original
}

// Peers returns the Regions that are followed, sorted by name, as they are
// known here. It asks nobody. It makes a Node a portal.Replication.
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

// status is the peer as a portal shows it. What was heard is what was heard of
// all its streams.
func (f *follower) status() portal.Peer {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := portal.Peer{Region: f.region, Heard: f.heard(), Lag: f.lag, MaxLag: f.maxLag, State: portal.PeerReplicating, ClockAhead: f.ahead, ClockKnown: f.timed}
	for _, w := range f.flows {
		p.Done, p.Total = p.Done+w.arrived, p.Total+w.total
	}
	if !p.Heard.IsZero() && f.n.cfg.Now().Sub(p.Heard) <= f.n.behindAfter() && !f.n.copies.suspected(f.region, streamKinds...) {
		p.State = portal.PeerReplicated
	}
	for _, w := range f.flows {
		if w.doubt != "" {
			p.State = portal.PeerDamaged
		}
	}
	if !f.connected {
		p.State = portal.PeerUnreachable
	}
	if f.unmet != nil {
		p.State = portal.PeerIncompatible
	}
	return p
}

// behindAfter is how old what is known of a peer may be that is Replicated. A
// peer that has nothing new is heard at each Heartbeat.
func (n *Node) behindAfter() time.Duration { return 5*n.cfg.Heartbeat + 2*time.Second }

// heard is the earliest of the streams' instants. The caller holds mu.
func (f *follower) heard() (t time.Time) {
	for i, k := range streamKinds {
		if h := f.flows[k].heard; i == 0 || h.Before(t) {
			t = h
		}
	}
	return t
}

// met takes an answer into the progress. A part of a transaction counts as its
// elements. anew: the stream is read from its start again.
func (f *follower) met(k streamKind, a answer, anew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.connected = true
	w := f.flows[k]
	if !w.met || anew {
		*w = flow{store: a.Store, met: true, behind: w.behind}
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

// reached notes that all of a stream that was written before it was asked for
// has taken effect here.
func (f *follower) reached(k streamKind, asked time.Time) {
	f.mu.Lock()
	first := f.heard().IsZero()
	w := f.flows[k]
	w.heard, w.total, w.doubt, w.differs = asked, w.arrived, "", false
	first = first && !f.heard().IsZero()
	f.mu.Unlock()
	if first {
		f.n.cfg.Logger.Info("replica: replicated", "region", f.n.cfg.Region, "peer", f.region)
		f.n.wakeMaintenance()
	}
}

// caughtUp says whether all of a stream was here once.
func (f *follower) caughtUp(k streamKind) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.flows[k].heard.IsZero()
}

// measure notes how long a change took to get here. What was there before the
// two met doesn't count.
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
