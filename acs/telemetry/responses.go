package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// response is in the context of the operations on a response, all in one goroutine.
type response struct {
	read time.Time // when the request had been read. Zero: it was refused before
}

type responseKey struct{}

// ObserveResponse implements [acs.Observer]: the span saml.consume, and the metrics of the verdict.
func (t *Telemetry) ObserveResponse(ctx context.Context) (context.Context, func(acs.Verdict)) {
	if t == nil {
		return ctx, func(acs.Verdict) {}
	}
	r := new(response)
	ctx, span := t.tracer.Start(context.WithValue(ctx, responseKey{}, r), "saml.consume")
	return ctx, func(v acs.Verdict) {
		all := t.attributes(v.Reason, keyFlow.String(v.Flow), t.idp(v.IdP))
		set := metric.WithAttributeSet(attribute.NewSet(all...))
		t.instruments.responses.Add(ctx, 1, set)
		if !r.read.IsZero() {
			t.instruments.responseDuration.Record(ctx, t.cfg.Now().Sub(r.read).Seconds(), set)
		}
		span.SetAttributes(append(all, keyReference.String(v.Reference))...)
		endSpan(span, v.Reason)
	}
}

// ObserveVerification implements [acs.Observer]: the span saml.verify.
func (t *Telemetry) ObserveVerification(ctx context.Context) func(error) {
	if t == nil {
		return func(error) {}
	}
	if r, ok := ctx.Value(responseKey{}).(*response); ok {
		r.read = t.cfg.Now()
	}
	_, span := t.tracer.Start(ctx, "saml.verify")
	return func(err error) {
		reason := ""
		if e := (*saml.Error)(nil); errors.As(err, &e) {
			reason = string(e.Reason)
		}
		span.SetAttributes(t.attributes(reason)...)
		endSpan(span, reason)
	}
}

// ObserveLogout implements [acs.Observer].
func (t *Telemetry) ObserveLogout(ctx context.Context, v acs.Verdict) {
	if t != nil {
		t.instruments.logouts.Add(ctx, 1,
			metric.WithAttributes(t.attributes(v.Reason, keyFlow.String(v.Flow), t.idp(v.IdP))...))
	}
}

// ObserveSignIn implements [acs.Observer].
func (t *Telemetry) ObserveSignIn(ctx context.Context, identityProvider string, unsolicited bool, reason string) {
	if t != nil {
		t.instruments.signIns.Add(ctx, 1,
			metric.WithAttributes(t.attributes(reason, flow(unsolicited), t.idp(identityProvider))...))
	}
}

// faults are the Reasons for which the service can't answer. Others are about the message: as in OpenTelemetry's
// conventions for HTTP servers, a client's error is not the span's.
var faults = map[string]bool{
	string(acs.ReasonStore): true, string(acs.ReasonBusy): true,
	string(saml.ReasonMetadata): true, string(saml.ReasonMetadataExpired): true,
	resultFull: true, resultUnavailable: true, resultTimeout: true,
}

func endSpan(span trace.Span, reason string) {
	if faults[reason] {
		span.SetStatus(codes.Error, reason)
	}
	span.End()
}
