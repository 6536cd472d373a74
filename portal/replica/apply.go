package replica

import (
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// fold takes a transaction into the directory, and its effects on users' sessions into
// the ledger. The caller holds applying.
func (n *Node) fold(region string, t merge.Transaction) {
	n.touched = append(n.touched, n.dir.Fold(region, t)...)
	n.afterFold(region, t)
}

// afterFold applies what follows from a transaction that is in the directory.
func (n *Node) afterFold(region string, t merge.Transaction) {
	n.ledger.update(func(s *merge.Sessions) { s.Enforce(region, t) })
	n.stopIfLogUnread(region)
	if region == n.cfg.Primary { // which may have removed a Region
		n.stopIfSessionsUnread()
		n.outdateSessions(t)
		n.publishStandings()
	}
}

// apply tells the instance what has changed. The first time it makes the instance, if a
// whole state of the primary's log was read. The caller holds applying.
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
	d, err := center.Assemble(rest)
	var inst *center.Instance
	if err == nil {
		inst, err = center.NewJournaled(d, journal{n})
	}
	if err != nil {
		n.cfg.Logger.Error("replica: no instance", "error", err)
		return
	}
	n.applyChanges(inst, apps)
	n.instance.Store(inst)
}

// applyChanges applies changes to the instance. The primary checked its own as a whole,
// so if something doesn't fit it is an application. Only that one is left out: no
// Region's mistake keeps another from working.
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

// split takes applications apart from other records.
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
