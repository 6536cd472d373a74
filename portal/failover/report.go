package failover

import "log/slog"

// A change is what became of a Region, and how many can be used with it.
type change struct {
	status Status
	left   int
}

// note keeps a change for report. The caller holds mu.
func (rd *Redirector) note(t *target) { t.untold = append(t.untold, change{t.status(), rd.left()}) }

// report tells of a Region's changes, in order and one at a time. Nothing is
// locked meanwhile: OnChange may call Set, and changes that come while it runs
// are left to the one who is telling.
func (rd *Redirector) report(t *target) {
	for {
		rd.mu.Lock()
		if t.telling || len(t.untold) == 0 {
			rd.mu.Unlock()
			return
		}
		next := t.untold[0]
		t.untold, t.telling = t.untold[1:], true
		rd.mu.Unlock()
		rd.tell(t, next)
	}
}

// left counts the Regions that can be used.
func (rd *Redirector) left() int {
	n := 0
	for _, t := range rd.targets {
		if t.usable.Load() {
			n++
		}
	}
	return n
}

// tell logs a change and hands it to OnChange. If that panics, the next change
// is told all the same.
func (rd *Redirector) tell(t *target, c change) {
	defer func() {
		rd.mu.Lock()
		defer rd.mu.Unlock()
		t.telling = false
	}()
	s := c.status
	log := rd.cfg.Logger.With(slog.String("region", s.Region), slog.Bool("healthy", s.Healthy),
		slog.String("control", s.Control.String()), slog.Bool("usable", s.Usable), slog.Int("regions_left", c.left))
	switch {
	case c.left == 0:
		log.Error("failover: no Region can be used")
	case s.Usable:
		log.Info("failover: Region is used")
	default:
		log.Warn("failover: Region is not used")
	}
	if rd.cfg.OnChange != nil {
		rd.cfg.OnChange(s)
	}
}
