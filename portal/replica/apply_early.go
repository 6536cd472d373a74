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

// What another Region ends takes effect here from its answer, before the answer
// is copied: this Region's disk may be full, and a copy that can't be made must
// not keep a revocation out. The reader takes the same in again from the copy,
// which changes nothing. Sessions and codes come from the copy alone.
//
// Neither marks nor Heard move by it. They say what is copied and read, which a
// restart finds again.

// hear takes what ends access in. The caller has checked the answer.
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
		begin, _, _ := strings.Cut(rest, ".")
		if kind := merge.EntryKind(begin); c.kind != kindConfig && knows(kind) && !kind.Ends() {
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
			n.ledger.enforce(c.region, t)
			whole = append(whole, t)
		}
	}
	n.stopIfSessionsUnread()
	c.heard.seq = max(c.heard.seq, a.end())
	if len(whole) > 0 {
		n.foldEarly(c.region, whole, a.Pending)
	}
}

// foldEarly takes whole transactions in, all of which may end access: of a user,
// an assignment, a Region.
func (n *Node) foldEarly(region string, whole []merge.Transaction, pending uint64) {
	n.applying.Lock()
	defer n.applying.Unlock()
	for _, t := range whole { // what is before them may be on disk, and not read yet
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

// copier makes a copier. If the Region's own server does not say where the copy
// ends, it returns one that can only hear, and errNotCopied: from where the last one
// was, or from the start.
func (f *follower) copier(ctx context.Context, k streamKind) (c *copier, err error) {
	if f.n.copies.isHalfMade(copyOf{f.region, k}) {
		err = f.makeAgain(k)
	}
	if err == nil {
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		c, err = f.n.copier(asking, f.region, k)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil:
		f.copiers[k] = c
		return c, nil
	case f.copiers[k] == nil:
		read, _ := f.n.progress.get(k.stream(f.region)) // of which store the copy is
		f.copiers[k] = &copier{n: f.n, region: f.region, kind: k, at: read}
	}
	return f.copiers[k], errors.Join(errNotCopied, err)
}

// hearOnly goes on hearing what ends access while copies can't be made. Who
// tries to copy again begins where the copy ends.
func (f *follower) hearOnly(ctx context.Context, nc *nats.Conn, c *copier) error {
	for until := time.Now().Add(retryCopies); time.Now().Before(until); {
		q := f.question(c.kind, c.heard)
		a, err := f.ask(ctx, nc, q)
		if err != nil {
			f.progressed(c.kind)
			return err
		}
		f.beShown(ctx, c.kind, a.Copy)
		if older(q, a) != "" || f.n.doubt(c, a) != "" {
			pause(ctx, f.n.cfg.Heartbeat)
			continue
		}
		f.behind(c.kind)
		f.heardStart(a)
		if a.Store != q.Store || a.After < q.After { // the original was made again, or lost its end
			c.heard, c.asm = position{a.Store, a.After}, merge.Assembler{}
		}
		c.hear(a)
		if a.Pending == 0 {
			c.heard.seq = max(c.heard.seq, a.Last)
		}
	}
	return nil
}
