package telemetry

import (
	"context"
	"errors"
	"strings"

	"go.opentelemetry.io/otel/metric"
)

// instruments are those that are not observed at export.
type instruments struct {
	responses, logouts, signIns, refreshes metric.Int64Counter
	responseDuration, storeDuration        metric.Float64Histogram
	writes, audits                         map[string]metric.Float64Counter // by the name that an Observe gets
}

// seconds are the boundaries of durations. A verification takes about a tenth of a millisecond, and a store in another
// process a few milliseconds.
var seconds = []float64{
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
}

// register makes the instruments.
func (t *Telemetry) register(m metric.Meter) error {
	var errs []error
	counter := func(name, unit, about string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(about))
		errs = append(errs, err)
		return c
	}
	histogram := func(name, about string) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about),
			metric.WithExplicitBucketBoundaries(seconds...))
		errs = append(errs, err)
		return h
	}
	gauges := map[string]metric.Float64ObservableGauge{}
	observed := []metric.Observable{}
	gauge := func(name, unit, about string) metric.Float64ObservableGauge {
		g, err := m.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(about))
		errs, observed = append(errs, err), append(observed, g)
		return g
	}
	t.instruments = instruments{
		responses: counter("meridian.saml.responses", "{response}", "Responses at the ACS URLs."),
		logouts:   counter("meridian.saml.logouts", "{logout}", "Logouts by identity providers and at them."),
		signIns:   counter("meridian.saml.sign_ins", "{sign-in}", "What became of accepted responses."),
		refreshes: counter("meridian.metadata.refreshes", "{refresh}", "Attempts to read metadata."),
		responseDuration: histogram("meridian.saml.response.duration",
			"Time from the end of a request at an ACS URL to the verdict."),
		storeDuration: histogram("meridian.store.operation.duration", "Time of the store's operations."),
		writes:        map[string]metric.Float64Counter{},
		audits:        map[string]metric.Float64Counter{},
	}
	age := gauge("meridian.metadata.age", "s", "Time since the metadata in use was fetched.")
	remaining := gauge("meridian.metadata.remaining", "s", "Time until the validUntil of the metadata in use.")
	for name, about := range replicated {
		metricName, unit := replicationMetric(name)
		if isCount(name) {
			c, err := m.Float64Counter(metricName, metric.WithDescription(about))
			errs, t.instruments.writes[name] = append(errs, err), c
			continue
		}
		gauges[name] = gauge(metricName, unit, about)
	}
	auditGauges := map[string]metric.Float64ObservableGauge{}
	for name, a := range audited {
		metricName := "meridian.audit." + name
		if a.count {
			c, err := m.Float64Counter(metricName, metric.WithUnit(a.unit), metric.WithDescription(a.about))
			errs, t.instruments.audits[name] = append(errs, err), c
			continue
		}
		auditGauges[name] = gauge(metricName, a.unit, a.about)
	}
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		t.observeMetadata(o, age, remaining)
		t.observeReplication(o, gauges)
		t.observeAudits(o, auditGauges)
		return nil
	}, observed...)
	return errors.Join(append(errs, err)...)
}

// replicationMetric returns the metric and the unit of a value of package replica.
func replicationMetric(name string) (metricName, unit string) {
	base, isDuration := strings.CutSuffix(name, "_seconds")
	switch {
	case isDuration:
		unit = "s"
	case strings.HasSuffix(name, "_bytes"): // which stays: there are sessions, and sessions_bytes
		unit = "By"
	}
	return "meridian.replication." + base, unit
}
