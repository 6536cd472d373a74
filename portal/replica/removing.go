package replica

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// endRemovals removes the Regions that have had the status REMOVING for long enough. The status is on disk, so a crash
// before the removal only delays it, and after it the record of the removal erases the data: see dropRemoved.
func (n *Node) endRemovals(context.Context) error {
	inst := n.Instance()
	if inst == nil {
		return nil
	}
	v, err := inst.In(n.cfg.Region)
	if err != nil {
		return err
	}
	seen := map[string]time.Time{}
	for _, r := range inst.Snapshot().Regions() {
		if r.Status != center.RegionRemoving {
			continue
		}
		since, known := n.removing[r.Name]
		if !known {
			since = time.Now()
			time.AfterFunc(n.cfg.RemoveAfter, n.wakeMaintenance)
		}
		seen[r.Name] = since
		if time.Since(since) < n.cfg.RemoveAfter {
			continue
		}
		if err := v.Update(func(tx *center.Tx) error { return tx.EndRemoval(r.Name) }); err != nil {
			return err
		}
		delete(seen, r.Name)
		n.cfg.Logger.Info("replica: Region is removed", "removed", r.Name)
	}
	n.removing = seen
	return nil
}

// returning returns records with this Region's applications from before its removal, which the primary has kept. They
// are written once, with the report that the Region is replicated. The ID of one may belong to another application now:
// that one stays. The caller holds applying.
func (n *Node) returning() (out []merge.Record) {
	s := n.instance.Load().Snapshot()
	for _, a := range s.ParkedApplications(n.cfg.Region) {
		if _, taken := s.Application(a.ID); taken {
			continue
		}
		if b, err := json.Marshal(a); err == nil {
			out = append(out, merge.Record{Kind: center.KindApplication, Key: a.ID, Value: b})
		}
	}
	return out
}
