package merge_test

// Spans say which messages of a stream are in a history of it, by their numbers.
// A disk that is put back has a history of its own: what was written in between
// is not in it. Spans don't change.
type spans []span

// A span is from one number up to another, both included.
type span struct{ from, to uint64 }

// forever is the end of a span that goes on.
const forever = ^uint64(0)

func (s spans) has(n uint64) bool {
	for _, one := range s {
		if one.from <= n && n <= one.to {
			return true
		}
	}
	return false
}

// upTo is what is in them up to a number.
func (s spans) upTo(n uint64) spans {
	if len(s) == 0 || s[len(s)-1].to <= n {
		return s
	}
	var out spans
	for _, one := range s {
		if one.from <= n {
			out = append(out, span{one.from, min(one.to, n)})
		}
	}
	return out
}

// and is what is in either.
func (s spans) and(o spans) spans {
	if len(o) == 0 || len(s) > 0 && o.within(s) {
		return s
	}
	var out spans
	for i, j := 0, 0; i < len(s) || j < len(o); {
		var next span
		if j == len(o) || i < len(s) && s[i].from <= o[j].from {
			next, i = s[i], i+1
		} else {
			next, j = o[j], j+1
		}
		if k := len(out) - 1; k >= 0 && (out[k].to == forever || next.from <= out[k].to+1) {
			out[k].to = max(out[k].to, next.to)
		} else {
			out = append(out, next)
		}
	}
	return out
}

// without is what is in them but for one span.
func (s spans) without(gone span) (out spans) {
	for _, one := range s {
		if one.to < gone.from || gone.to < one.from {
			out = append(out, one)
			continue
		}
		if one.from < gone.from {
			out = append(out, span{one.from, gone.from - 1})
		}
		if gone.to < one.to {
			out = append(out, span{gone.to + 1, one.to})
		}
	}
	return out
}

// within says whether all of it is in one span each of others.
func (s spans) within(o spans) bool {
	for _, one := range s {
		inside := false
		for _, other := range o {
			inside = inside || other.from <= one.from && one.to <= other.to
		}
		if !inside {
			return false
		}
	}
	return true
}
