package portal

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs/theme"
)

// PeerState is the state of the replication from another Region.
type PeerState string

// The states of a peer. In all of them, the data that has arrived is served.
const (
	// PeerReplicating: the initial replication is in progress, or changes older than a few seconds have not arrived.
	PeerReplicating PeerState = "Replicating"
	// PeerReplicated: all data has arrived, and changes arrive as they are made.
	PeerReplicated PeerState = "Replicated"
	// PeerDamaged: the peer's log contradicts its earlier log. The peer has stopped, or lost its disk, or its log
	// differs from the copy here. Heard does not change.
	PeerDamaged PeerState = "Damaged"
	// PeerUnreachable: the peer does not answer.
	PeerUnreachable PeerState = "Unreachable"
	// PeerIncompatible: no data arrives, because the peer's version has no format in common with this one.
	PeerIncompatible PeerState = "Incompatible"
)

// Peer describes the replication from another Region.
type Peer struct {
	Region string
	State  PeerState
	Heard  time.Time // the peer's data is complete here up to this instant; zero: it was never heard
	// Lag is how long the last change took to arrive, MaxLag the maximum. Changes that have not arrived yet don't
	// count: see Heard. Zero: no change has arrived.
	Lag, MaxLag time.Duration
	// ClockAhead is how far the peer's clock is ahead of this Region's, as of its last answer, to within the time that
	// the answer took. ClockKnown says whether it was measured.
	ClockAhead  time.Duration
	ClockKnown  bool
	Done, Total uint64 // the progress of the initial replication, in elements
	// Copied and ToCopy are the progress of the peer's own initial replication from this Region, in elements, as the
	// peer says. Zero: it has not said yet.
	Copied, ToCopy uint64
}

func (p Peer) cutOff() bool { return p.State == PeerUnreachable || p.State == PeerIncompatible }

// Replication reports the freshness of the portal's data. It never waits.
type Replication interface {
	// Peers returns the other Regions, sorted by name.
	Peers() []Peer
}

func (p *Portal) peers() map[string]Peer {
	out := map[string]Peer{}
	if p.cfg.Replication != nil {
		for _, peer := range p.cfg.Replication.Peers() {
			out[peer.Region] = peer
		}
	}
	return out
}

// age is the time since a peer's Heard. Clocks differ, so a future instant counts as now. The wall clock goes on while
// a machine is suspended, and the monotonic clock can't be set back, so the longer of the two times counts.
func (p *Portal) age(peer Peer) time.Duration {
	now := p.clock()
	return max(0, now.Sub(peer.Heard), now.Round(0).Sub(peer.Heard.Round(0)))
}

// stale returns an error if no data arrived from an active Region for longer than MaxStaleness: sessions may have been
// ended there.
func (p *Portal) stale() *Error {
	if p.cfg.MaxStaleness == 0 {
		return nil
	}
	heard := p.peers()
	var names, ages []string
	for _, r := range p.cfg.Directory.Regions() {
		peer := heard[r.Name] // the zero Peer for a Region without data
		if r.Name == p.cfg.Region || !r.Active() || !peer.Heard.IsZero() && p.age(peer) <= p.cfg.MaxStaleness {
			continue
		}
		names = append(names, r.Name)
		ages = append(ages, r.Name+" "+p.since(p.theme.English(), peer))
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	want := "every active Region heard within " + p.cfg.MaxStaleness.String()
	e := newError(ReasonStale, "MaxStaleness", want, strings.Join(ages, ", "))
	e.regions = names
	return e
}

// since returns the age of a peer's data.
func (p *Portal) since(t *theme.Texts, peer Peer) string {
	if peer.Heard.IsZero() {
		return t.T("not heard yet")
	}
	return ago(t, p.age(peer))
}

// ago formats the time since an event: "just now", "3 s ago", "4 min ago".
func ago(t *theme.Texts, d time.Duration) string {
	switch {
	case d < time.Second:
		return t.T("just now")
	case d < time.Minute:
		return t.T("%d s ago", int(d/time.Second))
	case d < time.Hour:
		return t.T("%d min ago", int(d/time.Minute))
	case d < 48*time.Hour:
		return t.T("%d h ago", int(d/time.Hour))
	}
	return t.T("%d days ago", int(d/(24*time.Hour)))
}
