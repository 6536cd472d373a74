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
	d := Digest{Region: n.cfg.Region, At: n.cfg.Now(), Items: map[string]Item{}}
	n.applying.Lock()
	for region, e := range n.dir.estates {
		for k, c := range e.cells {
			if c.value != nil {
				d.add(fmt.Sprintf("log %s %s %s", region, k.kind, k.key), time.Time{}, []any{c.stamp, c.base, c.value})
			}
		}
	}
	inst := n.instance.Load()
	n.applying.Unlock()
	if inst != nil {
		for _, r := range inst.Snapshot().Records() {
			d.add(fmt.Sprintf("instance %s %s", r.Kind, r.Key), time.Time{}, string(r.Value))
		}
	}
	n.ledger.digest(&d)
	return d
}

func (l *ledger) digest(d *Digest) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for at, h := range l.sessions {
		s := h.Session
		s.Seen = time.Time{}
		d.add("session "+at.region+" "+at.key, s.Expires, []any{s, l.over(at.key, h)})
	}
	for key, until := range l.ended {
		d.add("ended "+key, until, until)
	}
	for k, until := range l.revoked {
		d.add(fmt.Sprintf("revoked %q %q", k.user, k.id), until, until)
	}
	for k, until := range l.signIns {
		d.add(fmt.Sprintf("signed out %q %q", k.user, k.id), until, until)
	}
	for user, e := range l.epochs {
		d.add(fmt.Sprintf("epoch %q", user), time.Time{}, e)
	}
}

// add hashes a value as JSON, in which maps are sorted.
func (d *Digest) add(key string, until time.Time, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte(err.Error())
	}
	sum := sha256.Sum256(b)
	d.Items[key] = Item{hex.EncodeToString(sum[:16]), until}
}
