package replica

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// Peers returns the Regions that are followed, sorted by name, as they are known
// here, without a request. It makes a Node a portal.Replication.
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

// status is the peer as a portal shows it. Heard is of all its streams.
func (f *follower) status() portal.Peer {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := portal.Peer{
		Region: f.region, State: portal.PeerReplicating, Heard: f.heard(), Lag: f.lag, MaxLag: f.maxLag,
		ClockAhead: f.ahead, ClockKnown: f.timed,
	}
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
	if f.incompatible != nil {
		p.State = portal.PeerIncompatible
	}
	return p
}

// behindAfter is the greatest age of what is known of a peer that is Replicated. A
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
		*w = flow{store: a.Store, met: true, behind: w.behind, judged: w.judged, copier: w.copier}
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

// reached notes that everything in a stream that was written before a question has
// taken effect here.
func (f *follower) reached(k streamKind, asked time.Time) {
	f.mu.Lock()
	first := f.heard().IsZero()
	w := f.flows[k]
	w.heard, w.total, w.doubt, w.differs = asked, w.arrived, "", false
	first = first && !f.heard().IsZero()
	f.mu.Unlock()
	if first {
		f.n.cfg.Logger.Info("replica: replicated", "peer", f.region)
		f.n.wakeMaintenance()
	}
}

// measure notes how long a change took to get here. What was there before the
// follower's first answer doesn't count.
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

// maxTrip is the longest time from a question to its answer that says enough of the
// peer's clock.
const maxTrip = 10 * time.Second

// measureClock compares the clock in an answer with the time half way between the
// question and now, without the time that the answer was held. It is only reported:
// package portal decides by it, together with verified assertions.
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
		f.n.cfg.Logger.Warn("replica: this clock and a peer's differ by more than Config.Skew", "peer", f.region, "peer_ahead", ahead.Round(time.Second).String())
	}
}
