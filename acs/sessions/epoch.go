package sessions

import "maps"

// Epoch counts how often each Region ended all sessions of a user. It is a version vector: each component only
// grows, so Regions can raise it without asking each other. A Region that is not in it counts zero; the nil
// Epoch is a user whose sessions were never ended.
type Epoch map[string]uint64

// Covers reports whether every component of e is at least that of o. A session made under e outlives the
// revocations that o counts if e covers o.
func (e Epoch) Covers(o Epoch) bool {
	for region, n := range o {
		if e[region] < n {
			return false
		}
	}
	return true
}

// Merge returns the component-wise maximum as a new Epoch. It is commutative, associative and idempotent, so
// the order of arrival doesn't matter.
func (e Epoch) Merge(o Epoch) Epoch {
	out := make(Epoch, max(len(e), len(o)))
	maps.Copy(out, e)
	for region, n := range o {
		out[region] = max(out[region], n)
	}
	return out
}
