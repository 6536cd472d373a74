package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// metadata is the last report on each source.
type metadata struct {
	mu      sync.Mutex
	sources map[string]sourceState // by name; guarded by mu
}

type sourceState struct {
	at        time.Time
	age, left time.Duration // at that instant
}

// ObserveMetadata implements the Observer of package federation.
func (t *Telemetry) ObserveMetadata(source string, age, left time.Duration, providers int, reason string) {
	if t == nil {
		return
	}
	t.instruments.refreshes.Add(context.Background(), 1,
		metric.WithAttributes(t.attributes(reason, keySource.String(source))...))
	m := &t.metadata
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sources == nil {
		m.sources = map[string]sourceState{}
	}
	m.sources[source] = sourceState{at: t.cfg.Now(), age: age, left: left}
}

// observeMetadata reports ages and remaining times at the instant of the export.
func (t *Telemetry) observeMetadata(o metric.Observer, age, remaining metric.Float64Observable) {
	m, now := &t.metadata, t.cfg.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, s := range m.sources {
		with, since := metric.WithAttributes(t.attributes("", keySource.String(name))...), now.Sub(s.at)
		if s.age >= 0 {
			o.ObserveFloat64(age, (s.age + since).Seconds(), with)
		}
		if s.left != 0 {
			o.ObserveFloat64(remaining, (s.left - since).Seconds(), with)
		}
	}
}
