package replica

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Report is how the digests of several Regions compare.
type Report struct {
	Regions     []string
	Items       int // how many things were compared
	Differences []Difference
}

// A Difference is something that not all Regions know alike.
type Difference struct {
	Item   string
	Hashes map[string]string // by Region; "" where it isn't known
}

// String says how many differences there are, and names the first few.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d Regions (%s), %d items, %d differences", len(r.Regions), strings.Join(r.Regions, ", "), r.Items, len(r.Differences))
	for i, d := range r.Differences {
		if i == 10 {
			fmt.Fprintf(&b, "\n  and %d more", len(r.Differences)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s:", d.Item)
		for _, region := range r.Regions {
			fmt.Fprintf(&b, " %s=%s", region, cmp.Or(d.Hashes[region], "unknown"))
		}
	}
	return b.String()
}

// Compare compares digests, item by item. What has expired by the latest of
// them may be known in one Region and forgotten in another, and doesn't count.
func Compare(digests ...Digest) Report {
	var r Report
	var now time.Time
	keys := map[string]bool{}
	for _, d := range digests {
		r.Regions = append(r.Regions, d.Region)
		if d.At.After(now) {
			now = d.At
		}
		for k := range d.Items {
			keys[k] = true
		}
	}
	for k := range keys {
		hashes := map[string]string{}
		differ, expired := false, false
		for _, d := range digests {
			item := d.Items[k]
			hashes[d.Region] = item.Hash
			differ = differ || item.Hash != digests[0].Items[k].Hash
			expired = expired || !item.Until.IsZero() && item.Until.Before(now)
		}
		if expired {
			continue
		}
		r.Items++
		if differ {
			r.Differences = append(r.Differences, Difference{k, hashes})
		}
	}
	slices.SortFunc(r.Differences, func(a, b Difference) int { return cmp.Compare(a.Item, b.Item) })
	return r
}

// Check compares Nodes until they know the same, or ctx ends; then it returns
// the last comparison, with ctx's error if there still are differences. What a
// Region writes it knows at once, so when all know the same nothing that was
// written before is on its way any more.
func Check(ctx context.Context, nodes ...*Node) (Report, error) {
	for {
		digests := make([]Digest, len(nodes))
		for i, n := range nodes {
			digests[i] = n.Digest()
		}
		r := Compare(digests...)
		if len(r.Differences) == 0 {
			return r, nil
		}
		pause(ctx, 50*time.Millisecond)
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
}
