package audit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An Observer receives what the Log does, for metrics. Package acs/telemetry implements it. The names are the constants
// that begin with Observed; of is a Class, an error code or a rule. It is called by several goroutines, also for what
// unauthenticated clients send, and should return quickly.
type Observer interface {
	ObserveAudit(name, of string, value float64)
}

// What an Observer receives. All but the last three are numbers to add up.
const (
	ObservedEvents          = "events"           // written, by class
	ObservedFailed          = "failed"           // not written at first, by class
	ObservedRefusals        = "refusals"         // by error code, written or counted
	ObservedRemoved         = "removed"          // to make room, by class
	ObservedLost            = "lost"             // of those, not exported, by class
	ObservedBytes           = "bytes"            // on disk, by class
	ObservedUnexportedBytes = "unexported_bytes" // of those, in files that are not exported as a whole
	ObservedAlert           = "alert"            // 1 while the alert of a rule is on, else 0
)

func (l *Log) observe(name, of string, value float64) {
	if l.cfg.Observer != nil {
		l.cfg.Observer.ObserveAudit(name, of, value)
	}
}

// A Rule is when an alert is on: a value is above a threshold for a time. Values arrive by Log.Observe, as package
// replica reports them, and from the Log itself.
type Rule struct {
	// Name names the alert. Required, and unique.
	Name string
	// Value is the name of a value of package replica, or one of the Value constants. Required.
	//
	// "refusals Unavailable" is the value of one error code.
	Value string
	// Above and Below are the thresholds: the alert is on while the value is above, or below. Exactly one is required.
	Above, Below *float64
	// Abs compares the value without its sign.
	Abs bool
	// Sum adds what arrived in the last ten minutes, for values that are numbers of something. Otherwise the last value
	// counts, for five minutes.
	Sum bool
	// For is how long it must be so before the alert is on. Zero: at once.
	For time.Duration
}

// The values that the Log itself has.
const (
	ValueKeyUsable = "key_usable"   // 1 if the last use of a key in Config.Keys succeeded, 0 if the key failed
	ValueRefusals  = "refusals"     // refusals, by error code instead of Region
	ValueFailed    = "audit_failed" // events that were not written
	ValueLost      = "audit_lost"   // events that were removed and not exported
	ValueAuditFull = "audit_full"   // how much of a class is full and not exported, 0 to 1; without Refusals
)

func limit(v float64) *float64 { return &v }

// DefaultRules returns the rules of a Log without its own: replication, the key, stores, the clock, refusals, and the
// Log itself. AUDIT.md says what to do about each.
func DefaultRules() []Rule {
	return []Rule{
		{Name: "ReplicationLag", Value: "lag_seconds", Above: limit(5), For: time.Minute},
		{Name: "RegionNotHeard", Value: "heard_seconds", Above: limit(10), For: time.Minute},
		{Name: "RegionNotReady", Value: "ready", Below: limit(1), For: time.Minute},
		{Name: "StoreErrors", Value: "writes_failed", Above: limit(0), Sum: true},
		{Name: "StoreUnavailable", Value: ValueRefusals + " Unavailable", Above: limit(0), Sum: true},
		{Name: "ClockDiffers", Value: "clock_seconds", Above: limit(30), Abs: true, For: time.Minute},
		{Name: "KeyUnusable", Value: ValueKeyUsable, Below: limit(1)},
		{Name: "Refusals", Value: ValueRefusals, Above: limit(100), Sum: true},
		{Name: "AuditNotWritten", Value: ValueFailed, Above: limit(0), Sum: true},
		{Name: "AuditNotExported", Value: ValueAuditFull, Above: limit(0.8)},
		{Name: "AuditLost", Value: ValueLost, Above: limit(0), Sum: true},
	}
}

func (r Rule) check() error {
	switch {
	case r.Name == "" || r.Value == "":
		return newError(ReasonConfig, "Config.Rules", "a name and a value", r.Name)
	case (r.Above == nil) == (r.Below == nil):
		return newError(ReasonConfig, "Config.Rules", "one of Above and Below", r.Name)
	case r.For < 0:
		return newError(ReasonConfig, "Config.Rules", "a For of zero or more", r.Name)
	}
	return nil
}

func (r Rule) holds(v float64) bool {
	if r.Abs {
		v = max(v, -v)
	}
	return r.Above != nil && v > *r.Above || r.Below != nil && v < *r.Below
}

// An Alert is the begin or the end of a Rule's condition, of one Region or error code.
type Alert struct {
	Rule  string
	Of    string // the Region that the value is about, or the error code
	Value float64
	On    bool // false: it has ended
	Since time.Time
}

// alerts checks the rules.
type alerts struct {
	log   *Log
	rules map[string]bool // the names of values in them

	mu     sync.Mutex // guards the fields below
	values map[valueOf]observed
	sums   map[valueOf][]sum
	since  map[state]time.Time // when a rule began to hold
	on     map[state]Alert
}

type valueOf struct{ name, of string }

type state struct{ rule, of string }

type observed struct {
	v  float64
	at time.Time
}

// sum is what arrived in a minute.
type sum struct {
	minute int64
	v      float64
}

const (
	staleAfter  = 5 * time.Minute
	sumMinutes  = 10
	maxObserved = 1024 // values that are known at the same time
)

func newAlerts(l *Log) *alerts {
	rules := map[string]bool{}
	for _, r := range l.cfg.Rules {
		name, _, _ := strings.Cut(r.Value, " ")
		rules[name] = true
	}
	return &alerts{
		log: l, rules: rules, values: map[valueOf]observed{}, sums: map[valueOf][]sum{}, since: map[state]time.Time{},
		on: map[state]Alert{},
	}
}

// Observe takes a value of package replica, whose Observer the Log is with it. Of is the Region that it describes.
func (l *Log) Observe(name, of string, value float64) {
	if l != nil {
		l.alerts.Observe(name, of, value)
	}
}

// Observe takes a value.
func (a *alerts) Observe(name, of string, v float64) {
	if !a.rules[name] {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now, key := a.log.cfg.Now(), valueOf{name, of}
	if _, known := a.values[key]; !known && len(a.values) >= maxObserved {
		return
	}
	a.values[key] = observed{v, now}
	minute := now.Unix() / 60
	list := a.sums[key]
	if n := len(list); n > 0 && list[n-1].minute == minute {
		list[n-1].v += v
	} else {
		list = append(list, sum{minute, v})
	}
	a.sums[key] = list[max(0, len(list)-sumMinutes-1):]
}

func (a *alerts) refused(code string) { a.Observe(ValueRefusals, cut(clean(code), 40), 1) }
func (a *alerts) failed(n int)        { a.Observe(ValueFailed, a.log.cfg.Region, float64(n)) }
func (a *alerts) lost(n int)          { a.Observe(ValueLost, a.log.cfg.Region, float64(n)) }

// current returns the current value for a rule. The caller holds mu.
func (a *alerts) current(r Rule, key valueOf, now time.Time) float64 {
	if !r.Sum {
		return a.values[key].v
	}
	total := 0.0
	for _, s := range a.sums[key] {
		if s.minute > now.Unix()/60-sumMinutes {
			total += s.v
		}
	}
	return total
}

// check compares all values with the rules, and tells what changed.
func (a *alerts) check() {
	for _, alert := range a.changed() {
		l, text := a.log, "audit: alert ended"
		if alert.On {
			text = "audit: alert"
		}
		l.cfg.Logger.Warn(text, "rule", alert.Rule, "of", alert.Of, "value", alert.Value)
		l.own(map[bool]string{true: "AlertBegan", false: "AlertEnded"}[alert.On], map[string]string{
			"rule": alert.Rule, "of": alert.Of, "value": strconv.FormatFloat(alert.Value, 'g', 6, 64),
			"since": alert.Since.UTC().Format(time.RFC3339),
		})
		if l.cfg.OnAlert != nil {
			l.cfg.OnAlert(alert)
		}
	}
	a.mu.Lock()
	on := map[string]bool{}
	for s := range a.on {
		on[s.rule] = true
	}
	a.mu.Unlock()
	for _, r := range a.log.cfg.Rules {
		a.log.observe(ObservedAlert, r.Name, usable(on[r.Name]))
	}
}

// changed returns the alerts that begin or end now.
func (a *alerts) changed() (out []Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.log.cfg.Now()
	holds := map[state]float64{}
	for _, r := range a.log.cfg.Rules {
		name, of, one := strings.Cut(r.Value, " ")
		for key, last := range a.values {
			if key.name != name || one && key.of != of || !r.Sum && now.Sub(last.at) > staleAfter {
				continue
			}
			s, v := state{r.Name, key.of}, a.current(r, key, now)
			if r.holds(v) {
				holds[s] = v
				if a.since[s].IsZero() {
					a.since[s] = now
				}
				if _, on := a.on[s]; !on && now.Sub(a.since[s]) >= r.For {
					a.on[s] = Alert{Rule: r.Name, Of: key.of, Value: v, On: true, Since: a.since[s]}
					out = append(out, a.on[s])
				}
			} else if alert, on := a.on[s]; on {
				alert.On, alert.Value = false, v
				delete(a.on, s)
				out = append(out, alert)
			}
		}
	}
	for s := range a.since {
		if _, still := holds[s]; !still {
			delete(a.since, s)
			if alert, on := a.on[s]; on { // its value is no longer reported
				alert.On = false
				delete(a.on, s)
				out = append(out, alert)
			}
		}
	}
	a.forget(now)
	slices.SortFunc(out, func(x, y Alert) int { return strings.Compare(x.Rule+" "+x.Of, y.Rule+" "+y.Of) })
	return out
}

// forget drops values that are no longer reported. The caller holds mu.
func (a *alerts) forget(now time.Time) {
	maps.DeleteFunc(a.values, func(key valueOf, last observed) bool {
		old := now.Sub(last.at) > sumMinutes*time.Minute+staleAfter
		if old {
			delete(a.sums, key)
		}
		return old
	})
}

// CheckRules compares the values with the rules now. Otherwise a Log does that every ten seconds.
func (l *Log) CheckRules() {
	if l != nil {
		l.alerts.check()
	}
}

// Alerts returns the alerts that are on.
func (l *Log) Alerts() []Alert {
	if l == nil {
		return nil
	}
	l.alerts.mu.Lock()
	defer l.alerts.mu.Unlock()
	return slices.SortedFunc(maps.Values(l.alerts.on), func(x, y Alert) int {
		return strings.Compare(x.Rule+" "+x.Of, y.Rule+" "+y.Of)
	})
}

// String returns the alert as one line.
func (a Alert) String() string {
	return fmt.Sprintf("%s of %s: %.6g since %s", a.Rule, a.Of, a.Value, a.Since.UTC().Format(time.RFC3339))
}
