package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	notraces "go.opentelemetry.io/otel/trace/noop"

	"github.com/meridian-saml/meridian/acs"
)

// Store returns s with metrics, and within another span with the spans store.add and store.take. It implements
// acs.Rememberer and acs.Quota if s does. If t or s is nil, it is s.
func (t *Telemetry) Store(s acs.Store) acs.Store {
	if t == nil || s == nil {
		return s
	}
	observed := &store{Store: s, t: t}
	remembers, hasSince := s.(acs.Rememberer)
	limits, hasQuota := s.(acs.Quota)
	switch {
	case hasSince && hasQuota:
		return struct {
			*store
			acs.Rememberer
			acs.Quota
		}{observed, remembers, limits}
	case hasSince:
		return struct {
			*store
			acs.Rememberer
		}{observed, remembers}
	case hasQuota:
		return struct {
			*store
			acs.Quota
		}{observed, limits}
	}
	return observed
}

type store struct {
	acs.Store
	t *Telemetry
}

// Add implements acs.Store.
func (s *store) Add(ctx context.Context, key string, v []byte, exp time.Time) (err error) {
	ctx, end := s.t.operation(ctx, "add")
	defer func() { end(err) }()
	return s.Store.Add(ctx, key, v, exp)
}

// Take implements acs.Store.
func (s *store) Take(ctx context.Context, key string) (v []byte, err error) {
	ctx, end := s.t.operation(ctx, "take")
	defer func() { end(err) }()
	return s.Store.Take(ctx, key)
}

// operation begins an operation of a store. There is no span without a parent: probes would make traces of their own.
func (t *Telemetry) operation(ctx context.Context, name string) (context.Context, func(error)) {
	began, span := t.cfg.Now(), trace.Span(notraces.Span{})
	if trace.SpanContextFromContext(ctx).IsValid() {
		ctx, span = t.tracer.Start(ctx, "store."+name)
	}
	return ctx, func(err error) {
		result := resultOf(err)
		all := t.attributes(result, keyOperation.String(name))
		t.instruments.storeDuration.Record(ctx, t.cfg.Now().Sub(began).Seconds(), metric.WithAttributes(all...))
		span.SetAttributes(all...)
		endSpan(span, result)
	}
}

// The values of error.type for a store. The first three are answers to a client: a request that was answered before, or
// a replay.
const (
	resultExists      = "Exists"
	resultNotFound    = "NotFound"
	resultExpired     = "Expired"
	resultFull        = "Full"
	resultCancelled   = "Cancelled" // the client left
	resultTimeout     = "Timeout"
	resultUnavailable = "Unavailable"
)

func resultOf(err error) string {
	if err == nil {
		return ""
	}
	for _, known := range []struct {
		err    error
		result string
	}{
		{acs.ErrExists, resultExists}, {acs.ErrNotFound, resultNotFound}, {acs.ErrExpired, resultExpired},
		{acs.ErrFull, resultFull}, {context.Canceled, resultCancelled}, {context.DeadlineExceeded, resultTimeout},
	} {
		if errors.Is(err, known.err) {
			return known.result
		}
	}
	return resultUnavailable
}
