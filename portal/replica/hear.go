package replica

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// What another Region ends takes effect here before its answer is copied: this Region's
// disk may be full, and a copy that can't be written must not delay a revocation. The
// reader takes the same in again from the copy, which changes nothing. Sessions and
// codes come only from the copy.
//
// Marks and Heard don't move by it. They say what is copied and read, which a restart
// finds again.

// hear takes in what ends access. The caller has checked the answer.
func (c *copier) hear(a answer) {
	n := c.n
	if a.Store != c.heard.store {
		c.heard, c.asm = position{store: a.Store}, merge.Assembler{}
	}
	var whole []merge.Transaction
	for _, m := range a.Messages {
		rest, ok := strings.CutPrefix(m.Subject, c.kind.prefix(c.region))
		if !ok || m.Seq <= c.heard.seq {
			continue
		}
		if kind := kindOf(rest); c.kind != kindConfig && knows(kind) && !kind.Ends() {
			continue
		}
		if c.kind != kindConfig && !n.uncopied.add(c.region, c.kind.stream(c.region), a.Store, m) {
			continue // the reader takes it in, from the copy
		}
		if e := n.cfg.readable("message "+m.Subject, m.header()); e != nil {
			n.miss(arrival{region: c.region, kind: c.kind, subject: rest, until: untilOf(m.Until)}, e)
			continue
		}
		plain, err := n.cfg.Codec.Open(m.Subject, m.Data)
		if err != nil {
			continue // the reader reports it
		}
		if c.kind != kindConfig {
			_ = n.ledger.take(arrival{region: c.region, kind: c.kind, seq: m.Seq, subject: rest, body: plain})
			continue
		}
		var part merge.Transaction
		if json.Unmarshal(plain, &part) != nil {
			continue
		}
		if t, ok := c.asm.Add(m.Seq, part); ok {
			n.ledger.update(func(s *merge.Sessions) { s.Enforce(c.region, t) })
			whole = append(whole, t)
		}
	}
	n.stopIfSessionsUnread()
	c.heard.seq = max(c.heard.seq, a.end())
	if len(whole) > 0 {
		n.foldEarly(c.region, whole, a.Pending)
	}
}

// foldEarly takes whole transactions in. All may end access: of a user, an assignment, a
// Region.
func (n *Node) foldEarly(region string, whole []merge.Transaction, pending uint64) {
	n.applying.Lock()
	defer n.applying.Unlock()
	for _, t := range whole { // earlier ones may be on disk, and not read yet
		n.touched = append(n.touched, n.dir.FoldEarly(region, t)...)
		n.afterFold(region, t)
	}
	if pending == 0 || time.Since(n.lastApply) > applyEvery {
		n.apply()
	}
}

// errNotCopied: the Region's own server did not take a copy.
var errNotCopied = errors.New("replica: the Region's own server takes no copies")

// retryCopies is after how long copies are tried again.
const retryCopies = 5 * time.Second

// copier returns a copier. If the Region's own server does not say where the copy ends,
// it returns one that can only hear, from where the last one was or from the start, and
// errNotCopied.
func (f *follower) copier(ctx context.Context, k streamKind) (c *copier, err error) {
	if f.n.copies.isHalfMade(regionStream{f.region, k}) {
		err = f.recopy(k)
	}
	if err == nil {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		c, err = f.n.copier(asking, f.region, k)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.flows[k]
	if err == nil {
		w.copier = c
		return c, nil
	}
	if w.copier == nil {
		read, _ := f.n.progress.get(k.stream(f.region)) // in the store of the copy
		w.copier = &copier{n: f.n, region: f.region, kind: k, at: read}
	}
	return w.copier, errors.Join(errNotCopied, err)
}

// hearOnly goes on hearing what ends access while copies can't be written. The next
// attempt to copy begins where the copy ends.
func (f *follower) hearOnly(ctx context.Context, nc *nats.Conn, c *copier) error {
	for until := time.Now().Add(retryCopies); time.Now().Before(until); {
		q := f.question(c.kind, c.heard)
		a, why, err := f.fetch(ctx, nc, c, q)
		if err != nil {
			return err
		}
		if why != "" {
			pause(ctx, f.n.cfg.Heartbeat)
			continue
		}
		f.setBehind(c.kind, true)
		f.heardStart(a)
		if a.Store != q.Store || a.After < q.After { // the original was created again, or lost its end
			c.heard, c.asm = position{a.Store, a.After}, merge.Assembler{}
		}
		c.hear(a)
		if a.Pending == 0 {
			c.heard.seq = max(c.heard.seq, a.Last)
		}
	}
	return nil
}
