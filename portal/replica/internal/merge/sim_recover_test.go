package merge_test

import (
	"maps"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/integrity"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// restore is a start with Restored: what is here counts. What is not here
// is lost, and the operator knows.
func (w *world) restore(r *simRegion) {
	w.down(r)
	w.note(r, "restored", r.flaw)
	d := integrity.New(r.name, w.key(), w.clock(r.nodes[0]).Unix())
	if r.identity != nil {
		d = *r.identity
	}
	log := r.disks[streamOf(r.id, config)]
	r.disks[streamOf(r.id, config)] = newDisk()
	w.counts(r, d)
	w.recoverLog(r, []*simPiece{{log: log.messages}}, nil)
	w.oracle.writeOff(r)
	w.oracle.lossy = true
	w.oracle.forked = w.oracle.forked || r.id == 0 // what was lost may have been written in between
	r.history = spans{{0, forever}}
	r.markAll()
}

// counts gives the Region's streams new names. All others read them again.
func (w *world) counts(r *simRegion, d integrity.Identity) {
	d.Vouch(w.clock(r.nodes[0]).Unix())
	d.Stores = map[string]string{}
	w.newIdentity(r, d)
	r.claimed = false
	r.flaw, r.mustRefuse, r.marks, r.refused, r.twin = "", "", [streams]integrity.Mark{}, "", nil
}

// recover is a start with Recover: what is here and the others' copies of it
// are put together. Where a copy is of a later log, whose key isn't here, the
// operator is told to begin with an empty disk.
func (w *world) recover(r *simRegion) {
	w.down(r)
	w.note(r, "recovered", r.flaw)
	if r.identity == nil || w.eachLeft(r, *r.identity, func(l left) bool {
		return l.of == ofLater &&
			l.from.key != r.identity.Key
	}) {
		d := integrity.New(r.name, w.key(), w.clock(r.nodes[0]).Unix())
		r.identity = &d
		for line := range streams {
			r.disks[streamOf(r.id, line)] = newDisk()
		}
	}
	var entries [streams][]kept
	var logs [ofLater + 1][]*simPiece
	w.eachLeft(r, *r.identity, func(l left) bool {
		if l.line != config {
			entries[l.line] = append(entries[l.line], l.kept)
			return false
		}
		i := slices.IndexFunc(logs[l.of], func(p *simPiece) bool { return p.at == l.at && p.store == l.store })
		if i < 0 {
			i, logs[l.of] = len(logs[l.of]), append(logs[l.of], &simPiece{at: l.at, store: l.store})
		}
		logs[l.of][i].log = append(logs[l.of][i].log, l.kept)
		return false
	})
	for line := range streams {
		r.disks[streamOf(r.id, line)] = newDisk()
	}
	w.counts(r, *r.identity)
	w.recoverEntries(r, entries[sessions], sessions)
	w.recoverEntries(r, entries[revoked], revoked)
	log, beside := slices.Concat(logs[ofOwn], logs[ofLater]), []*simPiece(nil)
	if _, _, whole := merge.Reunite(w.primary(), r.name, pieces(logs[ofEarlier]), nil); whole {
		log, beside = logs[ofEarlier], log
	}
	found := w.recoverLog(r, log, beside)
	w.oracle.forked = w.oracle.forked || r.id == 0
	w.oracle.recovered(r, found)
	r.history = spans{{0, forever}}
	for line := range streams {
		r.kept[streamOf(r.id, line)] = r.history.upTo(w.n)
	}
	r.markAll()
}

// origins say which log a remaining message is from: the log that the Region has,
// one that it replaced without knowing it, or one that came later.
type origins int

const (
	ofOwn origins = iota
	ofEarlier
	ofLater
)

// left is a message that is left of a Region's streams.
type left struct {
	kept
	line, at int // at: in which Region
	store    string
	of       origins
}

// A simPiece is what one Region has left of a log.
type simPiece struct {
	at    int
	store string
	log   []kept
}

// eachLeft visits the remaining messages of a Region's streams, here and in copies,
// up to where the visitor says so, but for what the Region replaced knowingly:
// what that ended still counts.
func (w *world) eachLeft(r *simRegion, d integrity.Identity, visit func(left) bool) bool {
	for line := range streams {
		s := streamOf(r.id, line)
		for _, other := range w.all {
			if other.swapped != nil {
				continue
			}
			for _, k := range other.disks[s].messages {
				l := left{k, line, other.id, d.Stores[s.name()], ofOwn}
				if k.from != nil {
					l.store = k.from.store
				}
				switch {
				case l.store == d.Stores[s.name()]:
				case !d.Vouched || line == revoked:
					l.of = ofEarlier
				case k.from.serving.Number > d.Latest():
					l.of = ofLater
				default:
					continue
				}
				if visit(l) {
					return true
				}
			}
		}
	}
	return false
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

// recoverEntries keeps, of all entries under one subject, the newest.
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

// pieces are logs for Reunite.
func pieces(logs []*simPiece) (out []merge.Piece) {
	for _, p := range logs {
		piece, parts := merge.Piece{Store: p.store}, merge.Assembler{}
		slices.SortStableFunc(p.log, func(a, b kept) int { return int(a.seq) - int(b.seq) })
		for _, k := range p.log {
			if whole, ok := parts.Add(k.seq, k.tx); ok {
				piece.Log = append(piece.Log, whole)
			}
		}
		out = append(out, piece)
	}
	return out
}

// updates are what the whole transactions of sorted logs did.
func updates(logs []*simPiece) (out []*simUpdate) {
	for _, p := range logs {
		var parts merge.Assembler
		for _, k := range p.log {
			if _, ok := parts.Add(k.seq, k.tx); ok {
				out = append(out, k.update)
			}
		}
	}
	return out
}

// recoverLog folds all transactions, and writes the resulting state. Users whom one of
// them disabled or removed stay so, although another whole state may not know.
func (w *world) recoverLog(r *simRegion, log, beside []*simPiece) (found []*simUpdate) {
	records, last, whole := merge.Reunite(w.primary(), r.name, pieces(log), pieces(beside))
	found = updates(log)
	if r.id == 0 {
		w.oracle.checkRecovery(records, append(updates(beside), found...))
	}
	if r.identity.Whole = whole; !whole {
		r.restateLog(newDisk())
		w.oracle.every(func(p *place, sure *bool) {
			if p.s == streamOf(r.id, config) && *sure {
				*sure, w.oracle.lossy = false, true
			}
		})
		return nil
	}
	slices.SortFunc(records, func(a, b merge.Record) int {
		return slices.Compare([]string{string(a.Kind), a.Key}, []string{string(b.Kind), b.Key})
	})
	tx := merge.Transaction{Stamp: max(uint64(w.clock(r.nodes[0]).UnixMicro()), last+1), Full: true, First: 1, Of: 1,
		Records: records}
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
	w.oracle.wroteWhole(r, place{s: streamOf(r.id, config), n: r.update.n, update: r.update})
	r.update.log, r.update.removed = maps.Clone(r.log), maps.Clone(r.removed)
	if r.id == 0 {
		w.oracle.relists(place{s: streamOf(0, config), n: r.update.n, update: r.update})
	}
	return found
}

// removedUser returns the user who is gone by a record.
func removedUser(k merge.Name) (string, bool) {
	const user = string(center.PrincipalUser) + " "
	if k.Kind == merge.KindGone && len(k.Key) > len(user) && k.Key[:len(user)] == user {
		return k.Key[len(user):], true
	}
	return "", false
}
