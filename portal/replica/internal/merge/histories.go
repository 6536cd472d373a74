package merge

import (
	"cmp"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// A history is what consistent pieces of a log come to.
type history struct {
	store  string
	stamps map[uint64]uint64 // of the transactions, by the sequence that they begin at
	log    *Directory
	comes  *regionLog // in log
}

// histories are those of one Region's log. They show who knew of which end.
type histories []*history

// historiesOf sorts pieces into histories. Two pieces belong to one if they are of the
// same store and agree on which transaction is where. A log that went on in two
// places, from one copy of a disk, is two histories.
func historiesOf(primary, region string, pieces []Piece) (all histories) {
	for _, piece := range pieces {
		for _, p := range piece.runs() {
			i := slices.IndexFunc(all, func(h *history) bool { return h.store == p.Store && !h.contradicts(p) })
			if i < 0 {
				d := NewDirectory(primary)
				i, all = len(all), append(all, &history{p.Store, map[uint64]uint64{}, d, d.of(region)})
			}
			for _, t := range p.Log {
				all[i].stamps[t.First] = t.Stamp
				all[i].log.Fold(region, t)
			}
		}
	}
	return all
}

// runs cuts a piece where its stamps don't grow: a copy that followed one history
// went on with another one there.
func (p Piece) runs() (out []Piece) {
	log, from := slices.Clone(p.Log), 0
	slices.SortStableFunc(log, func(a, b Transaction) int { return cmp.Compare(a.First, b.First) })
	for i, t := range log {
		if i > 0 && t.First > log[i-1].First && t.Stamp <= log[i-1].Stamp {
			out, from = append(out, Piece{p.Store, log[from:i]}), i
		}
	}
	return append(out, Piece{p.Store, log[from:]})
}

// contradicts says whether a piece has another transaction where the history has one,
// or one whose stamp doesn't fit its position: stamps grow along a log.
func (h *history) contradicts(p Piece) bool {
	both := maps.Clone(h.stamps)
	for _, t := range p.Log {
		if stamp, ok := both[t.First]; ok && stamp != t.Stamp {
			return true
		}
		both[t.First] = t.Stamp
	}
	last := uint64(0)
	for i, first := range slices.Sorted(maps.Keys(both)) {
		if i > 0 && both[first] <= last {
			return true
		}
		last = both[first]
	}
	return false
}

// knew says whether every history in which the record is the last word about its name
// knew a mark. A copy may have followed one history and then another one, so a
// transaction may be in a history that didn't write it.
func (all histories) knew(r, mark Record) (knew bool) {
	for _, h := range all {
		if c, ok := h.comes.cells[r.name()]; !ok || c.stamp != r.Stamp {
			continue
		}
		if stampIn(h.comes.cells[mark.name()].value) < stampIn(mark.Value) {
			return false
		}
		knew = true
	}
	return knew
}

// restrain removes from a user, a group or a Region what a mark has ended that was not
// known to the writer of the record.
func (all histories) restrain(r Record, marks map[Name]Record) Record {
	unknown := func(kind center.Kind, key string) bool {
		mark, ended := marks[Name{kind, key}]
		return ended && !all.knew(r, mark)
	}
	switch r.Kind {
	case center.KindUser:
		if unknown(KindEnded, r.Key) || unknown(KindGone, goneKey(center.UserPrincipal(r.Key))) {
			r.Value = edited(r.Value, "active", func(bool) bool { return false })
		}
	case center.KindGroup:
		if unknown(KindGone, goneKey(center.GroupPrincipal(r.Key))) {
			r.Value = edited(r.Value, "members", func([]string) []string { return nil })
		}
	case center.KindRegion:
		if unknown(KindRemoved, r.Key) {
			r.Value = nil
		}
	}
	return r
}
