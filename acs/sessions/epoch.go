package sessions

import "maps"

// Epoch counts how often each Region ended all sessions of a user. It is a version vector. Each component only
// grows, so Regions can raise theirs without coordination. A missing Region counts as zero. The nil Epoch is that
// of a user whose sessions were never ended.
type Epoch map[string]uint64

// Covers reports whether every component of e is at least that of o. If e covers o, the revocations that o counts
// don't end a session with Epoch e.
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
