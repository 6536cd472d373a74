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
	// Healthy is what the probes say. Since is when they began to say so; New,
	// if they haven't changed it.
	Healthy bool
	Since   time.Time
	// Control is the routing control, and Usable what comes of both: whether
	// browsers can be sent there.
	Control Control
	Usable  bool
	// LastProbe is when the last probe ended, and LastError why it failed.
	// Zero: there was none yet. Nil: it succeeded, or there was none yet.
	LastProbe time.Time
	LastError error
}

// A target is a Region and what is known of it.
type target struct {
	Region
	// usable is what ServeHTTP reads. Written under Redirector.mu.
	usable atomic.Bool
	// The rest is guarded by Redirector.mu.
	control   Control
	healthy   bool
	since     time.Time
	probed    bool
	streak    int // how many probes in a row have contradicted healthy
	lastProbe time.Time
	lastError error
	untold    []change // in order
	telling   bool     // somebody is on it
}

func (t *target) status() Status {
	return Status{
		Region: t.Name, URL: t.URL, Healthy: t.healthy, Since: t.since,
		Control: t.control, Usable: t.usable.Load(), LastProbe: t.lastProbe, LastError: t.lastError,
	}
}

// decide works out whether the Region can be used.
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

// Set changes the routing control of a Region, at once and for this
// Redirector only. A name that isn't in Config.Regions is refused with
// ReasonUnknownRegion, and to turn Off the only Region that isn't Off yet with
// ReasonLastRegion: a slip while draining one after the other would shut the
// door for everybody. Turn another Region Auto or On first; to shut the door
// on purpose, stop the server.
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
	changed := t.control != c
	t.control = c
	t.decide()
	if changed {
		rd.note(t)
	}
	rd.mu.Unlock()
	rd.report(t)
	return nil
}

// record takes in the result of a probe.
func (rd *Redirector) record(t *target, result error) {
	rd.mu.Lock()
	first, failedBefore := !t.probed, t.lastError != nil
	t.probed, t.lastProbe, t.lastError = true, rd.cfg.Now(), result
	if rd.weigh(t, first) {
		rd.note(t)
	}
	s := t.status()
	rd.mu.Unlock()
	if result != nil && !failedBefore {
		rd.cfg.Logger.Warn("failover: probe failed", "region", s.Region, "healthy", s.Healthy, "error", result.Error())
	}
	rd.report(t)
}

// weigh is the hysteresis: it reports whether the last result has changed what
// the Region is.
func (rd *Redirector) weigh(t *target, first bool) bool {
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
		need = 1 // nothing is known that it could contradict
	}
	if t.streak < need {
		return false
	}
	t.healthy, t.streak, t.since = !t.healthy, 0, t.lastProbe
	t.decide()
	return true
}
