package replica

import (
	"errors"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A later version writes what this one can't read: a message of a later format,
// or a record or entry of an unknown kind. If it may be skipped it is, and it is
// kept. If not it may end access, and then this Region doesn't serve: it would
// let people in whom that record keeps out.

// later returns the error if it says that another version can read what this
// one can't.
func later(err error) (*Error, bool) {
	var e *Error
	return e, errors.As(err, &e) && e.Reason == ReasonVersion
}

// miss notes that a message can't be read by this version.
func (n *Node) miss(a arrival, err *Error) {
	if a.kind != kindConfig {
		n.ledger.miss(a, err)
		return
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	n.missLog(a.region, err)
}

// missLog notes that a message of a Region's log can't be read by this version.
// The caller holds applying.
func (n *Node) missLog(region string, err *Error) {
	n.touched = append(n.touched, n.dir.Miss(region, err.Want)...)
	n.stopIfLogUnread(region)
	n.wakeMaintenance()
}

// stopIfLogUnread checks whether a Region's log holds what this version can't read. If
// it is the primary's or its own, this Region stops. If it is another's, that
// Region's applications are not shown meanwhile. The caller holds applying.
func (n *Node) stopIfLogUnread(region string) {
	err := n.unreadLog(region)
	if region == n.cfg.Primary || region == n.cfg.Region {
		n.stop("configuration of "+region, err)
		return
	}
	if hidden := err != nil; hidden != n.hidden[region] {
		n.hidden[region] = hidden
		if hidden {
			n.cfg.Logger.Error("replica: applications of a Region are not shown", "region", n.cfg.Region, "peer", region, "error", err)
		}
	}
}

// unreadLog says what a Region's log holds that this version can't read. The
// caller holds applying.
func (n *Node) unreadLog(region string) *Error {
	what, unread := n.dir.Unread(region)
	if !unread {
		return nil
	}
	return &Error{Reason: ReasonVersion, Rule: "configuration of Region " + region, Want: "a version of Meridian that reads all of it", Got: what}
}

// ownLogReadable refuses to start on a log that only another version can read:
// it would be written over.
func (n *Node) ownLogReadable() error {
	if err := n.unreadLog(n.cfg.Region); err != nil {
		return err
	}
	return nil
}

// stopIfSessionsUnread checks whether any Region's streams hold what this version can't
// read. What ends a session is in any of them.
func (n *Node) stopIfSessionsUnread() {
	region, what, unread := n.ledger.unread()
	if !unread {
		n.stop(causeSessions, nil)
		return
	}
	n.stop(causeSessions, &Error{Reason: ReasonVersion, Rule: "sessions of Region " + region, Want: "a version of Meridian that reads all of it", Got: what})
}

// unread is what is known of the Regions' sessions and can't be read.
func (l *ledger) unread() (region, what string, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.Unread()
}

// miss notes that a message about sessions can't be read by this version.
func (l *ledger) miss(a arrival, err *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.Miss(a.region, err.Want, a.until)
}

// entry takes a message about sessions in, or notes that it can't be read.
func (r *reader) entry(a arrival, err error) error {
	if err == nil {
		err = r.n.ledger.take(a)
	} else if e, ok := later(err); ok {
		r.n.ledger.miss(a, e)
	}
	r.n.stopIfSessionsUnread()
	return err
}

// untilOf reads a header that says when a message may be forgotten. Zero: never.
func untilOf(header string) time.Time {
	if s := number(header); s > 0 {
		return time.Unix(int64(s), 0)
	}
	return time.Time{}
}

// knows says whether an entry is of a kind that this version knows, and so of
// which it knows the subject.
func knows(kind merge.EntryKind) bool { return entryStream[kind] != "" }
