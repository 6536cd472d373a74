package merge_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// every visits all ends, and the sessions themselves.
func (o *oracle) every(visit func(at *place, sure *bool)) {
	ends := func(list []*end) {
		for _, e := range list {
			visit(&e.place, &e.sure)
		}
	}
	seen := map[*simSignIn]bool{}
	for _, s := range o.sessions {
		visit(&s.at, &s.sure)
		ends(s.ends)
		if !seen[s.in] {
			seen[s.in] = true
			ends(s.in.ends)
		}
	}
	for _, id := range simUsers {
		ends(o.users[id])
	}
	for _, list := range o.removals {
		for _, r := range list {
			visit(&r.place, &r.sure)
		}
	}
	for _, list := range o.strict {
		for _, r := range list {
			visit(&r.place, &r.sure)
		}
	}
	ends(o.entries)
}

// on says whether a stream holds what is at a place, or what followed it
// under the same subject.
func (d *disk) on(p place) bool { return d.onOf(p, func(kept) bool { return true }) }

// onOf says so of some of a stream's messages.
func (d *disk) onOf(p place, of func(kept) bool) bool {
	if p.update != nil {
		return slices.ContainsFunc(d.messages, func(k kept) bool { return of(k) && k.update.carries(p.update) })
	}
	i, ok := d.index(p.subject)
	if !ok {
		return false
	}
	k := d.messages[i]
	return of(k) && k.n >= p.n && k.entry.Epoch >= p.epoch // in another history it may count less
}

// held says whether any disk but the Region's own holds it.
func (w *world) held(p place) bool {
	for _, r := range w.all {
		for _, m := range []*media{r.media, r.twin} {
			if m != nil && m != w.all[p.s.region()].media && m.disks[p.s].on(p) {
				return true
			}
		}
	}
	return false
}

// shows says whether a Region that is up, that the owner lists and that follows the
// owner holds it of the log that the owner has, and so can show it.
func (w *world) shows(p place) bool {
	owner := w.all[p.s.region()]
	ofIt := func(k kept) bool { return owner.identity != nil && k.from.store == owner.identity.Stores[p.s.name()] }
	return slices.ContainsFunc(w.nodes, func(n *simNode) bool {
		return n.life > 0 && n.r != owner && owner.lists(n.r) && !n.isGone(owner.id) && n.r.disks[p.s].onOf(p, ofIt)
	})
}

// reconsider notes what is lost: what is on no disk any more.
// Nothing can be asked about it.
func (o *oracle) reconsider() {
	if !slices.ContainsFunc(o.w.all, func(r *simRegion) bool { return r.flaw != "" || r.swapped != nil }) {
		return
	}
	o.every(func(p *place, sure *bool) {
		r := o.w.all[p.s.region()]
		if *sure && r.swapped == nil && !r.history.has(p.n) && !o.w.held(*p) {
			*sure, o.lossy = false, true
		}
	})
}

// writeOff notes what an operator gave up: what is not on a Region's disks.
func (o *oracle) writeOff(r *simRegion) {
	o.every(func(p *place, sure *bool) {
		if p.s.region() == r.id && !r.history.has(p.n) {
			*sure, o.lossy = false, true
		}
	})
}

// recovered records what was taken back from other Regions' copies.
func (o *oracle) recovered(r *simRegion, found []*simUpdate) {
	o.every(func(p *place, sure *bool) {
		if p.s.region() != r.id || !*sure {
			return
		}
		if p.update != nil {
			*sure = slices.ContainsFunc(found, func(t *simUpdate) bool { return t.carries(p.update) })
		} else {
			*sure = r.disks[p.s].on(*p)
		}
		o.lossy = o.lossy || !*sure
	})
}

// forgetUses forgets which codes were taken in a Region that may have lost that.
func (o *oracle) forgetUses(r *simRegion) {
	maps.DeleteFunc(o.uses, func(k string, _ int) bool {
		return strings.HasPrefix(k, "code-") && strings.HasSuffix(k, " in "+r.name)
	})
}

// missing is what was acknowledged, and is not on the Region's disks but on
// another Region's. What is soon forgotten is left out: it is not distinguished from what
// has expired, see integrity.Cutoff.
func (o *oracle) missing(r *simRegion) (out []string) {
	soon := o.w.now.Add(simLife) // with clocks that are far apart
	o.every(func(p *place, sure *bool) {
		if *sure && p.s.region() == r.id && p.n > r.erased && !r.history.has(p.n) &&
			(p.until.IsZero() || p.until.After(soon)) && !r.disks[p.s].on(*p) && o.w.shows(*p) {
			out = append(out, fmt.Sprintf("message %d of %s", p.n, p.s))
		}
	})
	return out
}

// started looks at a Region that has just started.
func (o *oracle) started(n *simNode) {
	if n.r.swapped != nil {
		o.wrong = append(o.wrong, n.r.name+" serves on the disks of "+n.r.swapped.name)
	}
	if n.r.mustRefuse != "" {
		o.wrong = append(o.wrong, n.r.name+" serves although "+n.r.mustRefuse)
	}
}

// logOf is what a log says that was put together.
func (o *oracle) logOf(tx merge.Transaction) map[merge.Name]lastWord {
	out := map[merge.Name]lastWord{}
	for _, rec := range tx.Records {
		switch {
		case rec.Kind == merge.KindGone, rec.Kind == merge.KindEnded, rec.Kind == merge.KindReplicated:
			continue
		}
		k := merge.Name{Kind: rec.Kind, Key: rec.Key}
		stamp := rec.Stamp
		if stamp == 0 {
			stamp = tx.Stamp
		}
		out[k] = lastWord{string(rec.Value), o.knew[string(rec.Value)], 0, stamp}
	}
	return out
}

// removedAt is by which message a user was removed last.
func (o *oracle) removedAt(found []*simUpdate, id string) (last uint64) {
	for _, t := range found {
		for ; t != nil; t = t.before {
			if slices.Contains(t.gone, id) {
				last = max(last, t.n)
			}
		}
	}
	return last
}

// checkRecovery notes which access a recovery gives back that the last of the
// remaining updates ended, where that wasn't known to the writer of the record.
func (o *oracle) checkRecovery(records []merge.Record, from []*simUpdate) {
	last := map[merge.Name]*simUpdate{}
	for _, state := range from {
		for t := state; t != nil; t = t.before {
			for _, k := range t.ended {
				if (last[k] == nil || t.stamp > last[k].stamp) && (t == state || state.knew.has(t.n)) {
					last[k] = t
				}
			}
			if !state.full {
				break // what precedes it may be lost
			}
		}
	}
	for _, rec := range records {
		end := last[merge.Name{Kind: rec.Kind, Key: rec.Key}]
		gives := rec.Kind == center.KindRegion || strings.Contains(string(rec.Value), `"active":true`)
		if knew, ok := o.told[string(rec.Value)]; end != nil && gives && ok && !knew.has(end.n) {
			o.wrong = append(o.wrong, fmt.Sprintf("a recovery brings %s back, which message %d ended: %s", rec.Key, end.n,
				rec.Value))
		}
	}
}
