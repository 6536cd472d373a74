package telemetry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/acs/telemetry"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/replica"
)

var (
	_ acs.Observer        = (*telemetry.Telemetry)(nil)
	_ federation.Observer = (*telemetry.Telemetry)(nil)
	_ replica.Observer    = (*telemetry.Telemetry)(nil)
	_ audit.Observer      = (*telemetry.Telemetry)(nil)
)

// useAll calls every method.
func useAll(ctx context.Context, t *telemetry.Telemetry, s acs.Store) {
	inner, end := t.ObserveResponse(ctx)
	t.ObserveVerification(inner)(nil)
	end(acs.Verdict{Accepted: true})
	t.ObserveLogout(ctx, acs.Verdict{})
	t.ObserveSignIn(ctx, "", false, "")
	t.ObserveMetadata("", 0, 0, 0, "")
	t.Observe(replica.ObservedReady, "eu", 1)
	t.Observe(replica.ObservedWrites, "eu", 1)
	t.ObserveAudit(audit.ObservedEvents, "access", 1)
	t.ObserveAudit(audit.ObservedBytes, "access", 1)
	t.Store(nil)
	if s != nil {
		_ = t.Store(s).Add(ctx, "x", nil, time.Now().Add(time.Second))
	}
}

// Without a provider a Telemetry is nil, does nothing and allocates nothing.
func TestOff(t *testing.T) {
	off, err := telemetry.New(telemetry.Config{Region: "eu"})
	require.NoError(t, err)
	require.Nil(t, off)
	store := acs.NewMemoryStore(acs.MemoryConfig{})
	require.Same(t, store, off.Store(store))
	require.Zero(t, testing.AllocsPerRun(100, func() { useAll(t.Context(), off, nil) }))
}

// With one provider only, the other half is off.
func TestHalfOn(t *testing.T) {
	for _, c := range []telemetry.Config{
		{MeterProvider: metric.NewMeterProvider()}, {TracerProvider: trace.NewTracerProvider()},
	} {
		half, err := telemetry.New(c)
		require.NoError(t, err)
		require.NotPanics(t, func() { useAll(t.Context(), half, acs.NewMemoryStore(acs.MemoryConfig{})) })
	}
}

func TestConfig(t *testing.T) {
	many := map[string]string{}
	for i := range 101 {
		many[strings.Repeat("x", i+1)] = "name"
	}
	for field, c := range map[string]telemetry.Config{
		"Config.IdPs":                         {IdPs: many},
		`Config.IdPs["https://idp.example"]`:  {IdPs: map[string]string{"https://idp.example": ""}},
		`Config.IdPs["https://idp.example/"]`: {IdPs: map[string]string{"https://idp.example/": telemetry.OtherIdP}},
		"Config.StaleAfter":                   {StaleAfter: -1},
	} {
		_, err := telemetry.New(c)
		var e *telemetry.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, []any{telemetry.ReasonConfig, field}, []any{e.Reason, e.Rule}, "%v", err)
	}
}
