package portal

import "time"

// A PeerState says how far another Region's data is here.
type PeerState string

// The states of a peer.
const (
	// PeerReplicating: what the peer has written is still on its way: all that it
	// had before the two met, or more than the last few seconds'.
	PeerReplicating PeerState = "Replicating"
	// PeerReplicated: everything is here, and changes arrive as they are made.
	PeerReplicated PeerState = "Replicated"
	// PeerDamaged: what the peer says of its own log is not what it said before:
	// it has stopped, or lost its disk, or what is here of it differs from what
	// it has. What was here before still serves, and Heard stands still.
	PeerDamaged PeerState = "Damaged"
	// PeerUnreachable: nothing is heard. What was here before still serves.
	PeerUnreachable PeerState = "Unreachable"
	// PeerIncompatible: the peer runs a version that has no format in common
	// with this one. Nothing is heard. What was here before still serves.
	PeerIncompatible PeerState = "Incompatible"
)

// A Peer is another Region as this one hears it.
type Peer struct {
	Region string
	// Heard is the instant up to which everything that the peer wrote is here.
	// Zero: it was never heard.
	Heard time.Time
	// Lag is how long the last change took to get here, MaxLag the longest of
	// all. Zero: none came yet. What is still on its way doesn't count, however
	// long: see Heard.
	Lag, MaxLag time.Duration
	State       PeerState
	// ClockAhead is how far the peer's clock is ahead of this Region's, by its last
	// answer, to within the time that the answer took. ClockKnown says whether it
	// was measured.
	ClockAhead time.Duration
	ClockKnown bool
	// Done and Total are the progress of the initial replication, in elements.
	Done, Total uint64
}

// cutOff says whether nothing is heard of the peer.
func (p Peer) cutOff() bool { return p.State == PeerUnreachable || p.State == PeerIncompatible }

// Replication is what a portal asks about the freshness of its data. It
// answers at once, from what it knows.
type Replication interface {
	// Peers returns the other Regions, sorted by name.
	Peers() []Peer
}
