package merge_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// restore is a start with Restored: what is here is to count. What is not here
// is lost, and the operator knows.
func (w *world) restore(r *simRegion) {
	w.down(r)
	w.note(r, "restored", r.flaw)
	d := integrity.New(r.name, w.key(), w.now.Unix())
	if r.identity != nil {
		d = *r.identity
	}
	log := r.disks[streamOf(r.id, config)]
	r.disks[streamOf(r.id, config)] = newDisk()
	w.counts(r, d)
	w.recoverLog(r, "", [][]kept{log.messages})
	w.oracle.lose(r)
	w.oracle.lossy = true
	w.oracle.forked = w.oracle.forked || r.id == 0 // what was lost may be what came in between
	r.history = spans{{0, forever}}
	r.markAll()
}

// counts gives the Region's streams new names. All others read them again.
func (w *world) counts(r *simRegion, d integrity.Identity) {
	d.Vouch(w.now.Unix())
	d.Stores = map[string]string{}
	w.newIdentity(r, d)
	r.claimed = false
	r.flaw, r.mustRefuse, r.marks, r.refused, r.twin = "", "", [streams]integrity.Mark{}, "", nil
}

// recover is a start with Recover: what is here and what the others have of it
// are put together.
func (w *world) recover(r *simRegion) {
	w.down(r)
	w.note(r, "recovered", r.flaw)
	var from [streams][]kept
	var logs [][]kept // by place
	for line := range streams {
		for _, other := range w.all {
			if other.swapped == nil {
				from[line] = append(from[line], other.disks[streamOf(r.id, line)].messages...)
				if line == config {
					logs = append(logs, other.disks[streamOf(r.id, line)].messages)
				}
			}
		}
	}
	d := integrity.New(r.name, w.key(), w.now.Unix())
	if r.identity != nil {
		d = *r.identity
	}
	own := d.Stores[simLines[config]]
	for line := range streams {
		r.disks[streamOf(r.id, line)] = newDisk()
	}
	w.counts(r, d)
	w.recoverEntries(r, from[sessions], sessions)
	w.recoverEntries(r, from[revoked], revoked)
	found := w.recoverLog(r, own, logs)
	w.oracle.forked = w.oracle.forked || r.id == 0
	w.oracle.recovered(r, found)
	r.history = spans{{0, forever}}
	for line := range streams {
		r.kept[streamOf(r.id, line)] = r.history.upTo(w.n)
	}
	r.markAll()
}

// markAll writes the marks beside streams that were just made.
func (r *simRegion) markAll() {
	for line := range streams {
		s := streamOf(r.id, line)
		n := &simNode{r: r}
		n.content[s] = integrity.NewContent()
		for _, k := range r.disks[s].messages {
			n.note(s, k)
		}
		r.marks[line] = n.content[s].Mark()
	}
}

// recoverEntries keeps, of all that stand under one subject, what says most.
func (w *world) recoverEntries(r *simRegion, from []kept, line int) {
	best := map[string]*message{}
	for _, k := range from {
		if old := best[k.subject]; old == nil || k.entry.Newer(k.kind, old.entry) {
			best[k.subject] = k.message
		}
	}
	all := make([]*message, 0, len(best))
	for _, m := range best {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *message) int { return int(a.n) - int(b.n) })
	d := r.disks[streamOf(r.id, line)]
	for _, m := range all {
		again := *m
		again.seq = d.last + 1
		if again.update = nil; !m.until.IsZero() && m.until.Before(w.now) {
			continue
		}
		gone := time.Time{}
		if !m.until.IsZero() {
			gone = m.until.Add(2 * simSkew)
		}
		d.write(again.seal(), gone, nil)
	}
}

// recoverLog folds all transactions, and writes what they come to. Whom one of
// them ended or removed stays so, although another whole state may not know.
func (w *world) recoverLog(r *simRegion, own string, places [][]kept) (found []*simUpdate) {
	var pieces []merge.Piece
	for _, place := range places {
		byRead := map[string][]kept{}
		for _, k := range place {
			read := own
			if k.from != nil {
				read = k.from.store + " " + fmt.Sprint(k.from.read)
			}
			byRead[read] = append(byRead[read], k)
		}
		for _, read := range slices.Sorted(maps.Keys(byRead)) {
			store, _, _ := strings.Cut(read, " ")
			piece, parts := merge.Piece{Store: store}, merge.Assembler{}
			list := byRead[read]
			slices.SortStableFunc(list, func(a, b kept) int { return int(a.seq) - int(b.seq) })
			for _, k := range list {
				if whole, ok := parts.Add(k.seq, k.tx); ok {
					piece.Log, found = append(piece.Log, whole), append(found, k.update)
				}
			}
			pieces = append(pieces, piece)
		}
	}
	records, last, whole := merge.Reunite(w.primary(), r.name, pieces, nil)
	if r.identity.Whole = whole; !whole {
		r.says(newDisk())
		return nil
	}
	slices.SortFunc(records, func(a, b merge.Record) int {
		return slices.Compare([]string{string(a.Kind), a.Key}, []string{string(b.Kind), b.Key})
	})
	tx := merge.Transaction{Stamp: max(uint64(w.clock(r.nodes[0]).UnixMicro()), last+1), Full: true, First: 1, Of: 1, Records: records}
	w.n++
	r.update = &simUpdate{n: w.n}
	r.stamped = max(r.stamped, tx.Stamp)
	d := r.disks[streamOf(r.id, config)]
	d.write((&message{seq: 1, n: w.n, tx: tx, update: r.update}).seal(), time.Time{}, nil)
	r.log, r.removed = w.oracle.logOf(tx), map[string]uint64{}
	for _, rec := range records {
		if id, ok := removedUser(merge.Name{Kind: rec.Kind, Key: rec.Key}); ok {
			r.removed[id] = w.oracle.removedAt(found, id)
		}
	}
	r.update.log, r.update.removed = maps.Clone(r.log), maps.Clone(r.removed)
	return found
}

// removedUser is the user whom a record says to be gone.
func removedUser(k merge.Name) (string, bool) {
	const user = string(center.PrincipalUser) + " "
	if k.Kind == merge.KindGone && len(k.Key) > len(user) && k.Key[:len(user)] == user {
		return k.Key[len(user):], true
	}
	return "", false
}
