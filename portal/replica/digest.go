package replica

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
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
	var all []fact
	n.applying.Lock()
	for region, e := range n.dir.estates {
		all = append(all, e.facts(region)...)
	}
	inst := n.instance.Load()
	n.applying.Unlock()
	if inst != nil {
		for _, r := range inst.Snapshot().Records() {
			all = append(all, fact{fmt.Sprintf("instance %s %s", r.Kind, r.Key), time.Time{}, string(r.Value)})
		}
	}
	return Digest{Region: n.cfg.Region, At: now, Items: items(append(all, n.ledger.facts()...))}
}

// A fact is what becomes an item.
type fact struct {
	key   string
	until time.Time
	value any
}

// facts is what the ledger knows. Sign-ins wait while it is copied, and not
// while it is hashed.
func (l *ledger) facts() (out []fact) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for at, h := range l.sessions {
		s := h.Session
		s.Seen = time.Time{}
		out = append(out, fact{"session " + at.region + " " + at.key, s.Expires, []any{s, l.over(at.key, h)}})
	}
	for key, until := range l.ended {
		out = append(out, fact{"ended " + key, until, until})
	}
	for k, until := range l.revoked {
		out = append(out, fact{fmt.Sprintf("revoked %q %q", k.user, k.id), until, until})
	}
	for k, until := range l.signIns {
		out = append(out, fact{fmt.Sprintf("signed out %q %q", k.user, k.id), until, until})
	}
	for user, e := range l.epochs {
		out = append(out, fact{fmt.Sprintf("epoch %q", user), time.Time{}, e})
	}
	return out
}

// facts is what the log of a Region says.
func (e *estate) facts(region string) (out []fact) {
	for k, c := range e.cells {
		if c.value != nil {
			out = append(out, fact{fmt.Sprintf("log %s %s %s", region, k.kind, k.key), time.Time{}, []any{c.stamp, c.base, c.value}})
		}
	}
	return out
}

// items hashes facts, as JSON, in which maps are sorted.
func items(all []fact) map[string]Item {
	out := make(map[string]Item, len(all))
	for _, f := range all {
		b, err := json.Marshal(f.value)
		if err != nil {
			b = []byte(err.Error())
		}
		sum := sha256.Sum256(b)
		out[f.key] = Item{hex.EncodeToString(sum[:16]), f.until}
	}
	return out
}
