package failover

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// Status is the state of one Region at one moment.
type Status struct {
	Region    string
	URL       string    // the portal's origin
	Healthy   bool      // the result of the probes
	Since     time.Time // when Healthy last changed, or when New was called
	Control   Control   // the routing control
	Usable    bool      // whether browsers are sent there, by Healthy and Control
	LastProbe time.Time // when the last probe ended; zero: none yet
	LastError error     // why the last probe failed; nil: it succeeded, or none yet
}

type target struct {
	Region
	// usable equals state.Usable, for ServeHTTP. It is written under Redirector.mu.
	usable atomic.Bool
	// Redirector.mu guards the rest.
	state     Status
	probed    bool
	streak    int      // number of consecutive probes that contradict state.Healthy
	changes   []change // to report, in order
	reporting bool     // whether a goroutine reports them
}

// change is a Region's new status, and the number of usable Regions at that time.
type change struct {
	status Status
	left   int
}

func (t *target) decide() {
	t.state.Usable = t.state.Control == On || t.state.Control == Auto && t.state.Healthy
	t.usable.Store(t.state.Usable)
}

// Status returns the status of each Region, in the order of Config.Regions.
func (rd *Redirector) Status() []Status {
	rd.mu.Lock()
	defer rd.mu.Unlock()
	out := make([]Status, len(rd.targets))
	for i, t := range rd.targets {
		out[i] = t.state
	}
	return out
}

// Set changes the routing control of a Region, at once and for this Redirector only. A name that isn't in
// Config.Regions is refused with ReasonUnknownRegion. Turning Off the last Region that isn't Off is refused with
// ReasonLastRegion, because that is usually a mistake and would lock all users out. Turn another Region Auto or On
// first. To lock all users out on purpose, stop the server.
func (rd *Redirector) Set(region string, c Control) error {
	t := rd.byName[region]
	switch {
	case t == nil:
		return &Error{Reason: ReasonUnknownRegion, Rule: "Set", Want: "the name of a Region", Got: region}
	case !c.known():
		return badConfig("Set", "Auto, On or Off", c.String())
	}
	rd.mu.Lock()
	if c == Off && !slices.ContainsFunc(rd.targets, func(o *target) bool { return o != t && o.state.Control != Off }) {
		rd.mu.Unlock()
		return &Error{Reason: ReasonLastRegion, Rule: "Set", Want: "another Region that isn't Off", Got: region}
	}
	if t.state.Control != c {
		t.state.Control = c
		t.decide()
		rd.changed(t)
	}
	rd.mu.Unlock()
	rd.report(t)
	return nil
}

func (rd *Redirector) record(t *target, result error) {
	rd.mu.Lock()
	first, failedBefore := !t.probed, t.state.LastError != nil
	t.probed, t.state.LastProbe, t.state.LastError = true, rd.cfg.Now(), result
	need := rd.cfg.HealthyThreshold
	switch {
	case t.state.Healthy && isDrained(result):
		need = 1 // it is no fault, which one probe could see by mistake
	case t.state.Healthy:
		need = rd.cfg.UnhealthyThreshold
	case first:
		need = 1
	}
	if t.streak++; (result == nil) == t.state.Healthy {
		t.streak = 0
	} else if t.streak >= need {
		t.streak, t.state.Healthy, t.state.Since = 0, !t.state.Healthy, t.state.LastProbe
		t.decide()
		rd.changed(t)
	}
	healthy := t.state.Healthy
	rd.mu.Unlock()
	if result != nil && !failedBefore {
		rd.cfg.Logger.Warn("failover: probe failed", "region", t.Name, "healthy", healthy, "error", result.Error())
	}
	rd.report(t)
}

// isDrained reports whether a probe failed because an operator took the Region out of rotation.
func isDrained(result error) bool {
	var e *Error
	return errors.As(result, &e) && e.Reason == ReasonDrained
}

// changed queues the Region's status for report. The caller holds mu.
func (rd *Redirector) changed(t *target) {
	left := 0
	for _, other := range rd.targets {
		if other.usable.Load() {
			left++
		}
	}
	t.changes = append(t.changes, change{t.state, left})
}

// report reports a Region's changes, in order and one at a time. It holds no lock while it calls OnChange, because
// OnChange may call Set. The goroutine that is reporting also reports changes that are made meanwhile.
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
