package failover

import (
	"slices"
	"sync/atomic"
	"time"
)

// Status is what a Redirector knows of one Region at one moment.
type Status struct {
	Region string
	URL    string // the portal's origin
	// Healthy is the result of the probes. Since is when it last changed, or when New was called.
	Healthy bool
	Since   time.Time
	// Control is the routing control. Usable says whether browsers are sent there, by both.
	Control Control
	Usable  bool
	// LastProbe is when the last probe ended (zero: none yet), and LastError why it failed (nil: it
	// did not, or none yet).
	LastProbe time.Time
	LastError error
}

// target is a Region and its state.
type target struct {
	Region
	// usable is what ServeHTTP reads. Written under Redirector.mu.
	usable atomic.Bool
	// Redirector.mu guards the rest.
	control   Control
	healthy   bool
	since     time.Time
	probed    bool
	streak    int // how many probes in a row have contradicted healthy
	lastProbe time.Time
	lastError error
	changes   []change // to report, in order
	reporting bool     // whether a goroutine reports them
}

// change is a Region's new status, and how many Regions were usable then.
type change struct {
	status Status
	left   int
}

func (t *target) status() Status {
	return Status{
		Region: t.Name, URL: t.URL, Healthy: t.healthy, Since: t.since,
		Control: t.control, Usable: t.usable.Load(), LastProbe: t.lastProbe, LastError: t.lastError,
	}
}

// decide sets usable.
func (t *target) decide() {
	t.usable.Store(t.control == On || t.control == Auto && t.healthy)
}

// Status returns what is known of each Region, in the order of Config.Regions.
func (rd *Redirector) Status() []Status {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	out := make([]Status, len(rd.targets))
	for i, t := range rd.targets {
		out[i] = t.status()
	}
	return out
}

// Set changes the routing control of a Region, at once and for this Redirector only. A name that
// isn't in Config.Regions is refused with ReasonUnknownRegion. Turning Off the last Region that
// isn't Off is refused with ReasonLastRegion, because it would lock all users out by a mistake.
// Turn another Region Auto or On first; to lock all users out on purpose, stop the server.
func (rd *Redirector) Set(region string, c Control) error {
	t := rd.byName[region]
	switch {
	case t == nil:
		return &Error{Reason: ReasonUnknownRegion, Rule: "Set", Want: "the name of a Region", Got: region}
	case !c.known():
		return badConfig("Set", "Auto, On or Off", c.String())
	}
	rd.mu.Lock()
	if c == Off && !slices.ContainsFunc(rd.targets, func(o *target) bool { return o != t && o.control != Off }) {
		rd.mu.Unlock()
		return &Error{Reason: ReasonLastRegion, Rule: "Set", Want: "another Region that isn't Off", Got: region}
	}
	if t.control != c {
		t.control = c
		t.decide()
		rd.changed(t)
	}
	rd.mu.Unlock()
	rd.report(t)
	return nil
}

// record applies the result of a probe.
func (rd *Redirector) record(t *target, result error) {
	rd.mu.Lock()
	first, failedBefore := !t.probed, t.lastError != nil
	t.probed, t.lastProbe, t.lastError = true, rd.cfg.Now(), result
	if rd.update(t, first) {
		rd.changed(t)
	}
	s := t.status()
	rd.mu.Unlock()
	if result != nil && !failedBefore {
		rd.cfg.Logger.Warn("failover: probe failed", "region", s.Region, "healthy", s.Healthy, "error", result.Error())
	}
	rd.report(t)
}

// update implements the thresholds. It reports whether the last result has changed the Region's
// state.
func (rd *Redirector) update(t *target, first bool) bool {
	if (t.lastError == nil) == t.healthy {
		t.streak = 0
		return false
	}
	t.streak++
	need := rd.cfg.HealthyThreshold
	switch {
	case t.healthy:
		need = rd.cfg.UnhealthyThreshold
	case first:
		need = 1
	}
	if t.streak < need {
		return false
	}
	t.healthy, t.streak, t.since = !t.healthy, 0, t.lastProbe
	t.decide()
	return true
}

// changed queues the Region's status for report. The caller holds mu.
func (rd *Redirector) changed(t *target) {
	left := 0
	for _, other := range rd.targets {
		if other.usable.Load() {
			left++
		}
	}
	t.changes = append(t.changes, change{t.status(), left})
}

// report reports a Region's changes, in order and one at a time. It holds no lock meanwhile,
// because OnChange may call Set. Changes made while OnChange runs are left to the goroutine that is
// reporting.
func (rd *Redirector) report(t *target) {
	for {
		rd.mu.Lock()
		if t.reporting || len(t.changes) == 0 {
			rd.mu.Unlock()
			return
		}
		next := t.changes[0]
		t.changes, t.reporting = t.changes[1:], true
		rd.mu.Unlock()
		rd.reportOne(t, next)
	}
}

// reportOne logs a change and calls OnChange. If that panics, later changes are still reported.
func (rd *Redirector) reportOne(t *target, c change) {
	defer func() {
		rd.mu.Lock()
		defer rd.mu.Unlock()
		t.reporting = false
	}()
	s := c.status
	log := rd.cfg.Logger.With("region", s.Region, "healthy", s.Healthy,
		"control", s.Control.String(), "usable", s.Usable, "regions_left", c.left)
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
