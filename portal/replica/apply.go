package replica

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// fold applies a transaction to the directory and the ledger. The caller holds applying.
func (n *Node) fold(region string, t merge.Transaction) {
	n.touched = append(n.touched, n.dir.Fold(region, t)...)
	n.afterFold(region, t)
	n.auditChange(region, t)
}

// afterFold applies the consequences of a transaction that is in the directory.
func (n *Node) afterFold(region string, t merge.Transaction) {
	n.ledger.update(func(s *merge.Sessions) { s.Enforce(region, t) })
	n.stopIfLogUnread(region)
	if region == n.cfg.Primary { // which may have removed a Region
		n.stopIfSessionsUnread()
		n.outdateSessions(t)
		if n.dir.Complete(region) {
			all := n.dir.Standings()
			n.standings.Store(&all)
			n.stopIfUnlisted()
		}
	}
}

// apply applies the changes to the instance. The first time it makes the instance, if a whole state of the primary's
// log was read. The caller holds applying.
func (n *Node) apply() {
	n.lastApply = time.Now()
	changes := n.dir.Changes(n.touched)
	n.touched = nil
	if inst := n.instance.Load(); inst != nil {
		n.applyChanges(inst, changes)
	} else if n.dir.Complete(n.cfg.Primary) {
		n.makeInstance()
	}
	for _, a := range n.unapplied {
		n.applied(a)
	}
	n.unapplied = nil
	n.wakeMaintenance()
}

// makeInstance makes the instance from the directory.
func (n *Node) makeInstance() {
	apps, rest := split(n.dir.Records())
	inst, err := center.Open(center.Config{Records: rest, Journal: journal{n}, Now: n.cfg.Now, Support: n.cfg.Support})
	if err != nil {
		n.cfg.Logger.Error("replica: no instance", "error", err)
		return
	}
	n.applyChanges(inst, apps)
	n.instance.Store(inst)
}

// applyChanges applies changes to the instance. The primary has checked its own changes as a whole, so only an
// application can be invalid. Only that application is left out: one Region's mistake must not affect another.
func (n *Node) applyChanges(inst *center.Instance, changes []center.Record) {
	if err := inst.Apply(changes); err == nil {
		return
	}
	apps, rest := split(changes)
	if err := inst.Apply(rest); err != nil {
		n.cfg.Logger.Error("replica: changes left out", "changes", len(rest), "error", err)
	}
	for _, app := range apps {
		if err := inst.Apply([]center.Record{app}); err != nil {
			n.cfg.Logger.Error("replica: application left out", "application", refusal.Quote(app.Key), "error", err)
		}
	}
}

// split separates applications from other records.
func split(all []center.Record) (apps, rest []center.Record) {
	for _, r := range all {
		if r.Kind == center.KindApplication {
			apps = append(apps, r)
		} else {
			rest = append(rest, r)
		}
	}
	return apps, rest
}

// Revocations of another Region take effect here before its answer is copied: this Region's disk may be full, and a
// failed write of the copy must not delay a revocation. The reader applies the same messages again from the copy, which
// changes nothing. Sessions and codes are applied only from the copy.
//
// Marks and Heard don't advance by this. They describe what is copied and read, which a restart finds again.

// hear applies the messages of an answer that end access. The caller has checked the answer.
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
		if c.kind != kindConfig && !n.uncopied.add(regionStream{c.region, c.kind}, a.Store, m) {
			continue // the reader applies it, from the copy
		}
		got, err := n.arrived(c.region, c.kind, m.Subject, m.headers(a.Store), m.Data, m.Seq)
		if e, ok := later(err); ok {
			n.noteUnreadable(got, e)
		}
		if err == nil && c.kind != kindConfig {
			err = n.ledger.take(got)
		}
		var part merge.Transaction
		if err != nil || c.kind != kindConfig || json.Unmarshal(got.body, &part) != nil {
			continue // the reader logs what it can't read
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

// foldEarly applies complete transactions. Any transaction may end access: of a user, an assignment, a Region.
func (n *Node) foldEarly(region string, whole []merge.Transaction, pending uint64) {
	n.applying.Lock()
	defer n.applying.Unlock()
	for _, t := range whole { // earlier transactions may be on disk, and not read yet
		n.touched = append(n.touched, n.dir.FoldEarly(region, t)...)
		n.afterFold(region, t)
	}
	if pending == 0 || time.Since(n.lastApply) > applyEvery {
		n.apply()
	}
}

// copier returns a copier. If the Region's own server does not report where the copy ends, it returns errNotCopied and
// a copier for hearOnly, at the position of the last one or at the start.
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

// hearOnly applies messages that end access while copies can't be written. The next attempt begins where the copy ends.
func (f *follower) hearOnly(ctx context.Context, nc *peerConn, c *copier) error {
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
