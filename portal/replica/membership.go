package replica

import (
	"context"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// publishStandings publishes where each Region stands with the primary, if a whole
// state of the primary's log was read. The caller holds applying.
func (n *Node) publishStandings() {
	if n.dir.Complete(n.cfg.Primary) {
		all := n.dir.Standings()
		n.standings.Store(&all)
		n.stopIfUnlisted()
	}
}

// standingOf returns where a Region stands. known is false until the directory is here.
func (n *Node) standingOf(region string) (s merge.Standing, known bool) {
	all := n.standings.Load()
	if all == nil {
		return s, false
	}
	return (*all)[region], true
}

// lists reports whether the directory has a Region.
func (n *Node) lists(region string) bool {
	s, _ := n.standingOf(region)
	return region == n.cfg.Primary || s.Listed > 0
}

// gone reports whether a Region was removed and not added again.
func (n *Node) gone(region string) bool {
	s, _ := n.standingOf(region)
	return region != n.cfg.Primary && s.Gone()
}

// stopIfUnlisted stops a Region that isn't listed any more. It keeps its data until
// it hears of its removal.
func (n *Node) stopIfUnlisted() {
	_, known := n.standingOf(n.cfg.Region)
	if n.isReady() && (n.unlisted.Load() || known && !n.lists(n.cfg.Region)) {
		n.stop("list", &Error{Reason: ReasonNotListed, Rule: "the instance", Want: "a Region that the primary lists", Got: n.cfg.Region})
	} else {
		n.stop("list", nil)
	}
}

// denies is the answer to a question of a Region that the directory does not list:
// only when it was removed, so that it hears of that. The primary may always ask. A
// Region that does not know the directory yet answers only the primary.
func (n *Node) denies(q question) (a answer, refused bool) {
	s, known := n.standingOf(q.From)
	switch {
	case q.From == n.cfg.Primary || s.Listed > 0:
		return answer{Listed: s.Listed}, false
	case q.From == "":
		a.Error = "the question does not say which Region asks"
	case !known:
		a.Error = "the list of Regions is not here yet"
	case s.Removed > 0:
		a.Error, a.Unlisted, a.Removed = "the Region that asks was removed", true, s.Removed
	default:
		a.Error, a.Unlisted = "the Region that asks is not listed", true
	}
	return a, true
}

// readFirst delays an answer from the log until this Node has read that piece of it:
// it may say that the Region that asks was removed.
func (n *Node) readFirst(ctx context.Context, q question, a answer) error {
	if q.Line == kindConfig && !n.progress.wait(ctx, kindConfig.stream(n.cfg.Region), position{seq: a.Last}, q.wait()) {
		return &Error{Reason: ReasonUnavailable, Rule: "answer", Want: "a log that has been read here", Got: "one that goes on"}
	}
	return nil
}

// awaitList waits for the directory as long as the question says: while Regions
// start, others ask before they are known.
func (n *Node) awaitList(ctx context.Context, q question) {
	deadline := time.Now().Add(q.wait())
	for n.standings.Load() == nil && q.From != n.cfg.Primary && q.From != "" && ctx.Err() == nil && time.Now().Before(deadline) {
		pause(ctx, 10*time.Millisecond)
	}
}

// standing takes from an answer where this Region stands. Only the primary's answer
// counts.
func (f *follower) standing(a answer) error {
	n := f.n
	if f.region == n.cfg.Primary && n.unlisted.Swap(a.Unlisted) != a.Unlisted {
		n.stopIfUnlisted()
		if a.Unlisted {
			n.cfg.Logger.Warn("replica: the primary does not list this Region", "primary", f.region)
		} else {
			n.cfg.Logger.Info("replica: the primary lists this Region", "primary", f.region)
		}
	}
	if !a.Unlisted {
		return nil
	}
	if f.region == n.cfg.Primary {
		n.heardRemoval(a.Removed)
	}
	return &Error{Reason: ReasonNotListed, Rule: "answer of Region " + f.region, Want: "a piece of its stream", Got: a.Error}
}

// removedError returns the error of a Region that was removed.
func removedError(region string, stamp uint64) *Error {
	return &Error{Reason: ReasonRemoved, Rule: "Region " + region, Want: "one that the primary has not removed, or has added again",
		Got: "removed at " + time.UnixMicro(int64(stamp)).UTC().Format(time.RFC3339)}
}
