package replica

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A Digest is the state of a Node as hashes, to be compared with those of other Regions. It can be sent as JSON.
type Digest struct {
	Region string          `json:"region"`
	At     time.Time       `json:"at"`
	Items  map[string]Item `json:"items"`
	// Erased is when the last end of a session expires that this Region may have erased, if it was removed and added
	// again, or lost, if its backup was restored with Config.Restored. It lets in no session from before, so it needs
	// none of these ends. Zero: it lacks none.
	Erased time.Time `json:"erased,omitzero"`
}

// An Item is one element of the state.
type Item struct {
	Hash string `json:"hash"`
	// Until is when the item may be dropped. Zero: never.
	Until time.Time `json:"until,omitzero"`
	// Ends: the item ends sessions.
	Ends bool `json:"ends,omitempty"`
	// Void: it is a session that this Region lets in in no case: see Digest.Erased.
	Void bool `json:"void,omitempty"`
}

// Digest returns the state of this Node: every Region's log and the resulting instance, sessions, revocations, and
// users' epochs. It omits Session.Seen, which each Region has for itself.
func (n *Node) Digest() Digest {
	now := n.cfg.Now()
	n.applying.Lock()
	all := n.dir.Facts()
	inst := n.instance.Load()
	n.applying.Unlock()
	if inst != nil {
		for _, r := range inst.Snapshot().Records() {
			if r.Kind.Optional() {
				continue // a version that doesn't know the kind has it in the log only
			}
			all = append(all, merge.Fact{Key: fmt.Sprintf("instance %s %s", r.Kind, r.Key), Value: string(r.Value)})
		}
	}
	d := Digest{Region: n.cfg.Region, At: now}
	n.ledger.read(func(s *merge.Sessions) {
		all = append(all, s.Facts()...)
		if at := s.Erased(); !at.IsZero() {
			d.Erased = merge.Forgettable(uint64(at.UnixMicro()), n.cfg.MaxSession, n.cfg.Skew)
		}
	})
	d.Items = items(all)
	return d
}

// items hashes facts, as JSON, in which maps are sorted.
func items(all []merge.Fact) map[string]Item {
	out := make(map[string]Item, len(all))
	for _, f := range all {
		b, err := json.Marshal(f.Value)
		if err != nil {
			b = []byte(err.Error())
		}
		sum := sha256.Sum256(b)
		out[f.Key] = Item{Hash: hex.EncodeToString(sum[:16]), Until: f.Until, Ends: f.Ends, Void: f.Void}
	}
	return out
}

// A Report compares the digests of several Regions.
type Report struct {
	Regions     []string
	Items       int // number of compared items
	Differences []Difference
}

// A Difference is an item that differs between Regions.
type Difference struct {
	Item   string
	Hashes map[string]string // by Region; "" if it isn't known
}

// String returns the number of differences and the first few of them.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d Regions (%s), %d items, %d differences", len(r.Regions), strings.Join(r.Regions, ", "), r.Items,
		len(r.Differences))
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

// Compare compares digests, item by item. Items that have expired by the time of the latest digest don't count: some
// Regions may have dropped them already. A Region that was removed and added again, or whose backup was restored with
// Config.Restored, may lack what ends sessions from before. Until Digest.Erased, Compare doesn't tell this from a loss.
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
		distinct := map[string]bool{}
		expired := false
		for _, d := range digests {
			item := d.Items[k]
			hashes[d.Region] = item.Hash
			if !item.Void && !d.mayLack(k, digests) {
				distinct[item.Hash] = true
			}
			expired = expired || !item.Until.IsZero() && item.Until.Before(now)
		}
		if expired {
			continue
		}
		r.Items++
		if len(distinct) > 1 {
			r.Differences = append(r.Differences, Difference{k, hashes})
		}
	}
	slices.SortFunc(r.Differences, func(a, b Difference) int { return cmp.Compare(a.Item, b.Item) })
	return r
}

// mayLack reports whether an item is missing in a Region that may have erased it, by what the others know of it.
func (d Digest) mayLack(key string, others []Digest) bool {
	if _, has := d.Items[key]; has || d.Erased.IsZero() {
		return false
	}
	for _, o := range others {
		if item, has := o.Items[key]; has && (!item.Ends || item.Until.After(d.Erased)) {
			return false
		}
	}
	return true
}
