package merge

import (
	"cmp"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// A history is what pieces of a log come to that don't contradict each other.
type history struct {
	store  string
	stamps map[uint64]uint64 // of the transactions, by the sequence that they begin at
	comes  *regionLog
}

// known are the histories of one Region, and so what was known of which end.
type known struct{ of []*history }

// histories sorts pieces into histories. Two pieces belong to one if they are of
// the same store and agree on what stood where, as far as they overlap. A log
// that went on in two places, from one copy of a disk, is two histories.
func histories(primary, region string, pieces []Piece) (k known) {
	logs := map[*history]*Directory{}
	var runs []Piece
	for _, p := range pieces {
		runs = append(runs, p.runs()...)
	}
	for _, p := range runs {
		h := k.find(p)
		if h == nil {
			h = &history{store: p.Store, stamps: map[uint64]uint64{}}
			logs[h] = NewDirectory(primary)
			k.of = append(k.of, h)
		}
		for _, t := range p.Log {
			h.stamps[t.First] = t.Stamp
			logs[h].Fold(region, t)
		}
	}
	for h, d := range logs {
		h.comes = d.of(region)
	}
	return k
}

// runs cuts a piece where its stamps don't grow: a copy that followed one history
// went on with another one there.
func (p Piece) runs() (out []Piece) {
	log := slices.SortedStableFunc(slices.Values(p.Log), func(a, b Transaction) int { return cmp.Compare(a.First, b.First) })
	from := 0
	for i, t := range log {
		if i > 0 && t.First > log[i-1].First && t.Stamp <= log[i-1].Stamp {
			out, from = append(out, Piece{p.Store, log[from:i]}), i
		}
	}
	return append(out, Piece{p.Store, log[from:]})
}

func (k known) find(p Piece) *history {
	for _, h := range k.of {
		if h.store == p.Store && !h.contradicts(p) {
			return h
		}
	}
	return nil
}

// contradicts says whether a piece has another transaction where the history has
// one, or one whose stamp doesn't fit where it stands: stamps grow along a log.
func (h *history) contradicts(p Piece) bool {
	both := maps.Clone(h.stamps)
	for _, t := range p.Log {
		if stamp, ok := both[t.First]; ok && stamp != t.Stamp {
			return true
		}
		both[t.First] = t.Stamp
	}
	firsts := slices.Sorted(maps.Keys(both))
	for i, first := range firsts {
		if i > 0 && both[first] <= both[firsts[i-1]] {
			return true
		}
	}
	return false
}

// knew says whether every history in which the record is the last word about its
// name knew a mark. A copy may have followed one history and then another one, so
// that a transaction stands in a history that didn't write it.
func (k known) knew(r, mark Record) (knew bool) {
	for _, h := range k.of {
		if c, ok := h.comes.cells[r.name()]; !ok || c.stamp != r.Stamp {
			continue
		}
		if numberIn(Record{Value: h.comes.cells[mark.name()].value}) < numberIn(mark) {
			return false
		}
		knew = true
	}
	return knew
}

// restrain takes from what is said of a user, a group or a Region what a mark
// has ended that was not known where it was said.
func (k known) restrain(r Record, marks map[Name]Record) Record {
	unknown := func(kind center.Kind, key string) bool {
		mark, ended := marks[Name{kind, key}]
		return ended && !k.knew(r, mark)
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
