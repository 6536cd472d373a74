package telemetry_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

// Each value of package audit is a metric.
func TestAudit(t *testing.T) {
	m := newMeters(t, nil)
	for _, name := range []string{audit.ObservedEvents, audit.ObservedFailed, audit.ObservedRemoved, audit.ObservedLost} {
		m.ObserveAudit(name, string(audit.Access), 2)
		m.ObserveAudit(name, string(audit.Access), 3)
		require.Equal(t, map[string]float64{"{audit.class=access,cloud.region=eu}": 5}, m.named("meridian.audit."+name))
	}
	for _, name := range []string{audit.ObservedBytes, audit.ObservedUnexportedBytes} {
		m.ObserveAudit(name, string(audit.Access), 2)
		m.ObserveAudit(name, string(audit.Access), 3)
		require.Equal(t, map[string]float64{"{audit.class=access,cloud.region=eu}": 3}, m.named("meridian.audit."+name))
	}
	m.ObserveAudit(audit.ObservedRefusals, "Signature", 1)
	require.Equal(t, map[string]float64{"{cloud.region=eu,error.type=Signature}": 1}, m.named("meridian.audit.refusals"))
	m.ObserveAudit(audit.ObservedAlert, "KeyUnusable", 1)
	require.Equal(t, map[string]float64{"{audit.rule=KeyUnusable,cloud.region=eu}": 1}, m.named("meridian.audit.alert"))
	m.ObserveAudit("unknown", "x", 1)
	require.Empty(t, m.named("meridian.audit.unknown"))
	m.clock.Advance(2 * time.Minute)
	require.Empty(t, m.named("meridian.audit.alert"), "a value that is no longer reported is missing")
}

func TestAuditsSeriesAreBounded(t *testing.T) {
	m := newMeters(t, nil)
	for i := range 1000 {
		m.ObserveAudit(audit.ObservedRefusals, fmt.Sprint("Reason", i), 1)
	}
	got := m.named("meridian.audit.refusals")
	require.Len(t, got, 201)
	require.InDelta(t, 800, got["{cloud.region=eu,error.type=_other}"], 0)
}

// Rule 70: a Log's events and alerts are metrics of its Region.
func TestRule70ALogsAlertsAreMetrics(t *testing.T) {
	m := newMeters(t, nil)
	l, err := audit.Open(audit.Config{
		Dir: filepath.Join(t.TempDir(), "audit"), Region: "eu-central-1", InsecurePlaintext: true, Observer: m.Telemetry,
		Now: m.clock.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	require.NoError(t, l.Access(t.Context(), audit.Event{Source: audit.SourceSignIn, Name: "UserAuthentication"}))
	l.Refused(t.Context(), audit.Event{Source: audit.SourceSignIn, Name: "UserAuthentication", ErrorCode: "Unavailable"})
	l.CheckRules()
	require.InDelta(t, 1, m.named("meridian.audit.refusals")["{cloud.region=eu,error.type=Unavailable}"], 0)
	alerts := m.named("meridian.audit.alert")
	require.InDelta(t, 1, alerts["{audit.rule=StoreUnavailable,cloud.region=eu}"], 0)
	require.InDelta(t, 0, alerts["{audit.rule=KeyUnusable,cloud.region=eu}"], 0)
	require.Len(t, alerts, len(audit.DefaultRules()))
	require.Eventually(t, func() bool {
		return m.named("meridian.audit.events")["{audit.class=access,cloud.region=eu}"] == 1
	}, time.Minute, 10*time.Millisecond)
}
