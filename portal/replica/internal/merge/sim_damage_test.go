package merge_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// damage is what now and then happens to disks, while nothing runs on them. It
// is rare: what follows from it takes its time.
func (w *world) damage(r *simRegion) {
	if r.removalNotice > 0 {
		return
	}
	own, copied := streamOf(r.id, w.rand.IntN(streams)), streamOf((r.id+1+w.rand.IntN(w.count-1))%w.count,
		w.rand.IntN(streams))
	switch k := w.rand.IntN(26); {
	case k < 4 && r.backup != nil:
		w.down(r)
		r.replaceMedia(r.backup.clone(w), w, "an older copy was put back")
		w.note(r, "rolled back", "")
	case k < 5:
		w.backup(r)
	case k < 8 && r.twin == nil && r.identity != nil:
		r.twin = r.media.clone(w)
		w.note(r, "doubled", "")
	case k < 10:
		w.cutLog(r, own)
	case k < 12:
		w.cutLog(r, copied)
	case k < 18:
		w.loseMessage(r, copied)
	case k < 20:
		w.loseMessage(r, own)
	case k < 23:
		w.swap(r, w.all[w.rand.IntN(len(w.all))])
	default:
		w.down(r)
		r.replaceMedia(newMedia(), w, "the disk was lost")
		w.note(r, "wiped", "")
	}
	w.oracle.damaged = true
	w.oracle.reconsider()
}

func (w *world) backup(r *simRegion) {
	r.backup = r.media.clone(w)
	w.note(r, "backup", "")
}

// runTwin has the second Region under a name run, and not the first.
func (w *world) runTwin(r *simRegion) {
	w.down(r)
	other := r.media
	r.replaceMedia(r.twin, w, "a second Region runs under this name")
	r.twin = other
	w.note(r, "twin runs", "")
	w.oracle.damaged = true
	w.oracle.reconsider()
}

// down stops all nodes of a Region.
func (w *world) down(r *simRegion) {
	for _, n := range r.nodes {
		n.stop()
	}
}

// replaceMedia puts other disks into a Region. What is written from now on is in their
// history.
func (r *simRegion) replaceMedia(m *media, w *world, flaw string) {
	w.oracle.forgetUses(r)
	r.media.history = r.media.history.upTo(w.n)
	r.media = m
	m.history, m.flaw = m.history.and(spans{{w.n + 1, forever}}), flaw
}

// cutLog loses the end of a stream, as a server does with a damaged file.
func (w *world) cutLog(r *simRegion, s streamID) {
	d := r.disks[s]
	if len(d.messages) == 0 {
		return
	}
	w.down(r)
	leave := len(d.messages) - 1 - w.rand.IntN(min(len(d.messages), 4))
	lost := d.messages[leave:]
	own := s.region() == r.id
	w.note(r, map[bool]string{true: "log cut", false: "copy cut"}[own], s)
	if m := r.marks[s.line()]; own && r.identity != nil && m.Store == r.identity.Stores[s.name()] &&
		m.Last >= lost[0].local {
		r.mustRefuse = fmt.Sprintf("%s was cut at %d, and went to %d", s, lost[0].local, m.Last)
	}
	left := d.clone()
	left.cut(leave)
	for _, k := range lost {
		w.noteLoss(r, s, left, k.message)
	}
	r.disks[s] = left
	if !own {
		r.kept[s] = r.kept[s].upTo(left.lastN)
	}
}

// loseMessage loses a message within a stream.
func (w *world) loseMessage(r *simRegion, s streamID) {
	d := r.disks[s]
	if len(d.messages) < 2 {
		return
	}
	w.down(r)
	i := w.rand.IntN(len(d.messages) - 1)
	m := d.messages[i].message
	w.note(r, map[bool]string{true: "message of the log lost", false: "message of a copy lost"}[s.region() == r.id], s)
	left := d.clone()
	left.lose(i)
	lost := slices.Clone(d.lost)
	for _, some := range w.noteLoss(r, s, left, m) {
		lost = append(lost, loss{some, m})
	}
	if r.disks[s] = left; s.region() != r.id {
		left.lost = lost
	}
}

// restateLog notes what the Region's log says that is left of it. A transaction without
// one of its parts is void.
func (r *simRegion) restateLog(d *disk) {
	r.update, r.log, r.removed = nil, map[merge.Name]lastWord{}, map[string]uint64{}
	var parts merge.Assembler
	for _, k := range d.messages {
		if _, whole := parts.Add(k.seq, k.tx); whole {
			r.update, r.log, r.removed = k.update, maps.Clone(k.update.log), maps.Clone(k.update.removed)
		}
	}
}

// noteLoss notes that a message is gone from a Region's disks, of which this one is
// left, and with it what can't be known without it. It returns what that is, by
// number.
func (w *world) noteLoss(r *simRegion, s streamID, left *disk, m *message) []span {
	d, lost := r.disks[s], []span{{m.n, m.n}}
	if s.line() == config { // a transaction without one of its parts is void
		for _, k := range d.messages {
			if k.tx.First == m.tx.First && k.tx.Stamp == m.tx.Stamp && k.update != nil {
				lost = []span{{m.n, k.n}}
			}
		}
		if m.tx.Full {
			lost[0].from = 0 // and so is all that it stood for
		}
	}
	w.oracle.every(func(p *place, _ *bool) {
		if p.s == s && p.subject == m.subject && p.n < m.n {
			lost = append(lost, span{p.n, p.n}) // whose place it took
		}
	})
	for _, some := range lost {
		r.kept[s] = r.kept[s].without(some)
		if s.region() == r.id {
			r.history = r.history.without(some)
		}
	}
	if s.region() == r.id {
		w.oracle.forgetUses(r)
		if s.line() == config {
			r.restateLog(left)
		}
		r.flaw = "its log was damaged"
	}
	return lost
}

// swap exchanges the disks of two Regions, and back.
func (w *world) swap(a, b *simRegion) {
	if a == b || a.identity == nil || b.identity == nil || a.swapped != nil || b.swapped != nil {
		return
	}
	w.down(a)
	w.down(b)
	a.media, b.media, a.swapped, b.swapped = b.media, a.media, b, a
	w.note(a, "swapped", b.name)
}

// unswap is what an operator does after reading that disks were swapped.
func (w *world) unswap(a *simRegion) {
	b := a.swapped
	w.down(a)
	w.down(b)
	a.media, b.media, a.swapped, b.swapped = b.media, a.media, nil, nil
	w.note(a, "swapped back", b.name)
	w.oracle.reconsider()
}

// operate is what an operator does for a Region that has stopped, or that does
// not start.
func (w *world) operate(r *simRegion) {
	r.operated = w.now
	switch {
	case r.swapped != nil:
		w.unswap(r)
	case !w.reported(r):
	case w.now.Before(w.past(r, max(r.stamped, r.numbered))): // the operator waits
	case r.flaw == "" || w.one(0.3): // a false alarm, as by a clock
		w.restore(r)
	default:
		w.recover(r)
	}
}

// past is from when on no clock of the Region is behind what it has written. One
// that begins anew must not begin earlier: others would not take in what it writes.
func (w *world) past(r *simRegion, stamp uint64) (t time.Time) {
	for _, n := range r.nodes {
		if at := time.UnixMicro(int64(stamp)).Add(1 - n.offset); at.After(t) {
			t = at
		}
	}
	return t
}

// reported says whether anything tells the operator that a Region needs one.
func (w *world) reported(r *simRegion) bool {
	return r.swapped != nil || r.refused != "" || r.claimed || w.unlists(r) || r.stopped() || w.followersRefuse(r)
}

// needed says whether any operator is needed.
func (w *world) needed() bool { return slices.ContainsFunc(w.all, w.reported) }

// followersRefuse says whether another Region says that it does not follow this
// one: it has a copy of another store, or of a later generation.
func (w *world) followersRefuse(r *simRegion) bool {
	return slices.ContainsFunc(w.nodes, func(n *simNode) bool {
		for line := range streams {
			s := streamOf(r.id, line)
			from, d := n.r.disks[s].from, r.identity
			if n.life > 0 && n.differs[s] && from != nil && d != nil &&
				(from.store != d.Stores[s.name()] || from.latest > d.Generations[len(d.Generations)-1].Number) {
				return true
			}
		}
		return false
	})
}
