package replica

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// stops are the causes for which a Region that was ready doesn't serve: no session or code is made or returned,
// and, with most causes, nothing is written to its log. What ends access is written nevertheless, questions are
// answered, and the instance can be read. The Region serves again when no cause is left.
type stops struct {
	mu      sync.Mutex
	causes  map[string]*Error
	changed chan struct{} // closed when there is a change
}

// Causes of sessions and codes alone come from other Regions, which the primary must still be able to remove.
const (
	causeSessions = "sessions"
	causeEnds     = "copy of what another Region ended"
)

// causeCopied concerns everything.
const causeCopied = "copy of the configuration"

func newStops() *stops { return &stops{causes: map[string]*Error{}, changed: make(chan struct{})} }

// first returns the first cause, without these, or nil, and a channel that is closed when the causes change.
func (s *stops) first(without ...string) (*Error, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cause := range slices.Sorted(maps.Keys(s.causes)) {
		if !slices.Contains(without, cause) {
			return s.causes[cause], s.changed
		}
	}
	return nil, s.changed
}

// stopped returns why the Region doesn't serve, or nil.
func (n *Node) stopped() error {
	err, _ := n.stops.first()
	return asError(err)
}

// noUpdates returns why nothing may be written to the Region's log, or nil.
func (n *Node) noUpdates() error {
	err, _ := n.stops.first(causeSessions, causeEnds)
	return asError(err)
}

// stop sets or clears (nil) a cause, and logs a change.
func (n *Node) stop(cause string, err *Error) {
	switch changed := n.stops.set(cause, err); {
	case !changed:
	case err != nil:
		n.cfg.Logger.Error("replica: this Region does not serve", "cause", cause, "error", err)
	default:
		n.cfg.Logger.Info("replica: a cause for not serving has ended", "cause", cause)
	}
}

// set sets or clears (nil) a cause, and reports whether that is a change.
func (s *stops) set(cause string, err *Error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.causes[cause]
	if was == nil && err == nil || was != nil && err != nil && was.Error() == err.Error() {
		return false
	}
	if s.causes[cause] = err; err == nil {
		delete(s.causes, cause)
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return true
}

// A later version may write messages that this one can't read: in a later format, or with an unknown kind of record or
// entry. If a message may be skipped, it is kept and skipped. Any other may end access, so this Region doesn't serve.

// later returns the error if it says that another version can read what this one can't.
func later(err error) (*Error, bool) {
	e, ok := errors.AsType[*Error](err)
	return e, ok && e.Reason == ReasonVersion
}

// noteUnreadable notes that this version can't read a message.
func (n *Node) noteUnreadable(a arrival, err *Error) {
	if a.kind != kindConfig {
		n.ledger.noteUnreadable(a, err)
		return
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	n.noteUnreadableLog(a.region, err)
}

// noteUnreadableLog does that for a message of a Region's log. The caller holds applying.
func (n *Node) noteUnreadableLog(region string, err *Error) {
	n.touched = append(n.touched, n.dir.Miss(region, err.Want)...)
	n.stopIfLogUnread(region)
	n.wakeMaintenance()
}

// noteUnreadable does that for a message about sessions.
func (l *ledger) noteUnreadable(a arrival, err *Error) {
	l.update(func(s *merge.Sessions) { s.Miss(a.region, err.Want, a.until) })
}

// stopIfLogUnread checks whether this version can't read a Region's log. If it is the primary's or its own, this
// Region stops. If not, that Region's applications are not shown. The caller holds applying.
func (n *Node) stopIfLogUnread(region string) {
	err := n.unreadLog(region)
	if region == n.cfg.Primary || region == n.cfg.Region {
		n.stop("configuration of "+region, err)
		return
	}
	if hidden := err != nil; hidden != n.hidden[region] {
		n.hidden[region] = hidden
		if hidden {
			n.cfg.Logger.Error("replica: applications of a Region are not shown", "peer", region, "error", err)
		}
	}
}

// unreadLog returns what a Region's log holds that this version can't read, or nil. The caller holds applying.
func (n *Node) unreadLog(region string) *Error {
	what, unread := n.dir.Unread(region)
	return unreadError("configuration", region, what, unread)
}

// stopIfSessionsUnread stops the Region if this version can't read any Region's streams, as they may end sessions.
func (n *Node) stopIfSessionsUnread() {
	var region, what string
	var unread bool
	n.ledger.read(func(s *merge.Sessions) { region, what, unread = s.Unread() })
	n.stop(causeSessions, unreadError("sessions", region, what, unread))
}

func unreadError(of, region, got string, unread bool) *Error {
	if !unread {
		return nil
	}
	return newError(ReasonVersion, of+" of Region "+region, "a version of Meridian that reads all of it", got)
}

// entry takes a message about sessions in, or notes that it can't be read.
func (r *reader) entry(a arrival, err error) error {
	if err == nil {
		err = r.n.ledger.take(a)
	} else if e, ok := later(err); ok {
		r.n.ledger.noteUnreadable(a, e)
	}
	r.n.stopIfSessionsUnread()
	return err
}
