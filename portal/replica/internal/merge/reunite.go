package merge

import "github.com/meridian-saml/meridian/portal/center"

// Reunite puts together what is left of one Region's log in several places,
// each with its transactions in any order. It returns the records of the whole
// state that they come to, the highest stamp that any of them has, and whether
// there was a whole state to begin with.
//
// Usually all places have a part of the same log. Where two have gone on apart,
// as after an older copy was put back, a whole state of one doesn't know what the
// other ended. So the last explicit word about a name counts even if an older
// word stands in a later whole state, and so does every mark that ends
// something, and every record of a kind that isn't known here and may. What was only added beside a later whole state stays lost.
func Reunite(primary, region string, all []Transaction) (records []Record, last uint64, whole bool) {
	d := NewDirectory(primary)
	newest := map[Name]Record{}
	for _, t := range all {
		d.Fold(region, t)
		for _, r := range t.Records {
			r.Stamp = r.writtenIn(t)
			if old, ok := newest[r.name()]; d.may(region, r) && (!ok || r.Stamp >= old.Stamp) {
				newest[r.name()] = r
			}
		}
	}
	known := map[Name]bool{}
	for _, r := range d.of(region).all() {
		known[r.name()] = true
		if n := newest[r.name()]; n.Stamp > r.Stamp {
			r = n
		}
		if r.Value != nil {
			records = append(records, r)
		}
	}
	for k, r := range newest {
		if !known[k] && r.Value != nil && (ends(k.Kind) || !d.knows(k.Kind) && !r.Optional) {
			records = append(records, r)
		}
	}
	return records, d.Last(region), d.Complete(region)
}

func ends(k center.Kind) bool { return k == KindGone || k == KindEnded || k == KindRemoved }

// Newer says whether a message of a Region's streams says more than another one
// about the same: which of them is to stand under their subject.
func (e Entry) Newer(kind EntryKind, old Entry) bool {
	switch kind {
	case EntrySession:
		return e.Session != nil && (old.Session == nil || e.Session.replaces(*old.Session))
	case EntrySeen:
		return e.Seen.After(old.Seen)
	case EntryUser:
		return e.Epoch > old.Epoch
	default:
		return e.Until.After(old.Until)
	}
}
