package replica

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A Digest is what a Node knows, as hashes that can be compared with another
// Region's, in this process or, as JSON, in another.
type Digest struct {
	Region string          `json:"region"`
	At     time.Time       `json:"at"`
	Items  map[string]Item `json:"items"`
}

// An Item is one thing known.
type Item struct {
	Hash string `json:"hash"`
	// Until is when the item may be forgotten. Zero: never.
	Until time.Time `json:"until,omitzero"`
}

// Digest returns what this Node knows: what every Region's log says and what
// the instance comes to, sessions, what ended them, and users' epochs. When a
// session was last seen is not in it: it is each Region's own.
func (n *Node) Digest() Digest {
	now := n.cfg.Now()
	n.applying.Lock()
	all := n.dir.Facts()
	inst := n.instance.Load()
	n.applying.Unlock()
	if inst != nil {
		for _, r := range inst.Snapshot().Records() {
			all = append(all, merge.Fact{Key: fmt.Sprintf("instance %s %s", r.Kind, r.Key), Value: string(r.Value)})
		}
	}
	return Digest{Region: n.cfg.Region, At: now, Items: items(append(all, n.ledger.facts()...))}
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
		out[f.Key] = Item{hex.EncodeToString(sum[:16]), f.Until}
	}
	return out
}
