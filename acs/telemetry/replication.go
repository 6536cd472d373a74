package telemetry

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// replicated describes the values that package replica reports.
var replicated = map[string]string{
	"ready":             "1 if the Region may serve.",
	"server_answers":    "1 if the Region's NATS server answered.",
	"writes":            "Acknowledged writes.",
	"writes_failed":     "Failed writes.",
	"write_seconds":     "The longest write since the last report.",
	"dir_bytes":         "Size of the embedded server's files.",
	"disk_left_bytes":   "Space that their file system has left.",
	"sessions":          "Sessions that are known here.",
	"config_bytes":      "Size of the configuration's stream or copy.",
	"sessions_bytes":    "Size of the sessions' stream or copy.",
	"revoked_bytes":     "Size of the revocations' stream or copy.",
	"config_position":   "The last message of the configuration that has taken effect here.",
	"sessions_position": "The last message of the sessions that has taken effect here.",
	"revoked_position":  "The last message of the revocations that has taken effect here.",
	"generation":        "The Region's last start that is known here.",
	"reachable":         "1 if the other Region answers.",
	"replicated":        "1 if all data of the other Region has arrived.",
	"heard_seconds":     "Age of the data from the other Region.",
	"lag_seconds":       "How long the last change took to arrive.",
	"max_lag_seconds":   "The longest lag.",
	"clock_seconds":     "How far the other Region's clock is ahead.",
}

// isCount reports whether a value is a number since the last report.
func isCount(name string) bool { return strings.HasPrefix(name, "writes") }

// replication is the last report of each value.
type replication struct {
	mu     sync.Mutex
	values map[valueOf]value // guarded by mu
}

type valueOf struct{ name, region string }

type value struct {
	at time.Time
	v  float64
}

// Observe implements the Observer of package replica. Unknown names are ignored.
func (t *Telemetry) Observe(name, region string, v float64) {
	if t == nil {
		return
	}
	if counter, ok := t.instruments.writes[name]; ok {
		counter.Add(context.Background(), v, t.about(region))
		return
	}
	if _, ok := replicated[name]; !ok {
		return
	}
	r := &t.replication
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil {
		r.values = map[valueOf]value{}
	}
	r.values[valueOf{name, region}] = value{t.cfg.Now(), v}
}

// observeReplication reports the values that are not stale, and forgets the others: an unknown value must be missing,
// so that an alert on it can be raised.
func (t *Telemetry) observeReplication(o metric.Observer, gauges map[string]metric.Float64ObservableGauge) {
	r, now := &t.replication, t.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for of, last := range r.values {
		if now.Sub(last.at) > t.cfg.StaleAfter {
			delete(r.values, of)
			continue
		}
		o.ObserveFloat64(gauges[of.name], last.v, t.about(of.region))
	}
}

func (t *Telemetry) about(region string) metric.MeasurementOption {
	return metric.WithAttributes(t.attributes("", keyPeer.String(region))...)
}
