package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// An auditValue describes a value that package audit reports: a number to add up, or a gauge.
type auditValue struct {
	of    attribute.Key // what the value is of
	count bool
	unit  string
	about string
}

// audited describes the values that package audit reports.
var audited = map[string]auditValue{
	"events":           {keyClass, true, "{event}", "Events that were written."},
	"failed":           {keyClass, true, "{event}", "Events that could not be written at first."},
	"refusals":         {keyErrorType, true, "{refusal}", "Refusals, written or counted."},
	"removed":          {keyClass, true, "{event}", "Events that were removed to make room."},
	"lost":             {keyClass, true, "{event}", "Events that were removed and not exported."},
	"bytes":            {keyClass, false, "By", "Size of the files."},
	"unexported_bytes": {keyClass, false, "By", "Size of the files that are not exported as a whole."},
	"alert":            {keyRule, false, "", "1 while the alert of a rule is on."},
}

const (
	keyClass = attribute.Key("audit.class")
	keyRule  = attribute.Key("audit.rule")
)

// maxAudited bounds the series of each value. Classes, rules and Reasons are fewer.
const (
	maxAudited   = 200
	otherAudited = "_other"
)

// audits is the last report of each gauge.
type audits struct {
	mu     sync.Mutex
	values map[valueOf]value          // guarded by mu, as is known
	known  map[string]map[string]bool // what there are series of, by name
}

// ObserveAudit implements the Observer of package audit. Unknown names are ignored.
func (t *Telemetry) ObserveAudit(name, of string, v float64) {
	if t == nil {
		return
	}
	if a, ok := audited[name]; ok {
		of = t.audits.bounded(name, of)
		if a.count {
			t.instruments.audits[name].Add(context.Background(), v, t.aboutAudit(a, of))
			return
		}
		t.audits.mu.Lock()
		defer t.audits.mu.Unlock()
		if t.audits.values == nil {
			t.audits.values = map[valueOf]value{}
		}
		t.audits.values[valueOf{name, of}] = value{t.cfg.Now(), v}
	}
}

// bounded returns of, or otherAudited if there are too many series.
func (a *audits) bounded(name, of string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = map[string]map[string]bool{}
	}
	if a.known[name] == nil {
		a.known[name] = map[string]bool{}
	}
	if !a.known[name][of] && len(a.known[name]) >= maxAudited {
		return otherAudited
	}
	a.known[name][of] = true
	return of
}

func (t *Telemetry) aboutAudit(a auditValue, of string) metric.MeasurementOption {
	if a.of == keyErrorType {
		return metric.WithAttributes(t.attributes(of)...)
	}
	return metric.WithAttributes(t.attributes("", a.of.String(of))...)
}

// observeAudits reports the gauges that are not stale, and forgets the others.
func (t *Telemetry) observeAudits(o metric.Observer, gauges map[string]metric.Float64ObservableGauge) {
	a, now := &t.audits, t.cfg.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for of, last := range a.values {
		if now.Sub(last.at) > t.cfg.StaleAfter {
			delete(a.values, of)
			continue
		}
		o.ObserveFloat64(gauges[of.name], last.v, t.aboutAudit(audited[of.name], of.region))
	}
}
