package audit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

func TestRule70EachRuleHasAnAlertByRegion(t *testing.T) {
	for rule, report := range map[string]func(*audit.Log){
		"ReplicationLag":   func(l *audit.Log) { l.Observe("lag_seconds", frankfurt, 6) },
		"RegionNotHeard":   func(l *audit.Log) { l.Observe("heard_seconds", frankfurt, 11) },
		"RegionNotReady":   func(l *audit.Log) { l.Observe("ready", frankfurt, 0) },
		"StoreErrors":      func(l *audit.Log) { l.Observe("writes_failed", frankfurt, 1) },
		"ClockDiffers":     func(l *audit.Log) { l.Observe("clock_seconds", frankfurt, -31) },
		"KeyUnusable":      func(l *audit.Log) { l.Observe(audit.ValueKeyUsable, frankfurt, 0) },
		"StoreUnavailable": func(l *audit.Log) { l.Refused(t.Context(), audit.Event{ErrorCode: "Unavailable"}) },
		"Refusals": func(l *audit.Log) {
			for range 60 {
				l.Refused(t.Context(), audit.Event{ErrorCode: "Signature"})
			}
		},
	} {
		t.Run(rule, func(t *testing.T) {
			r := newRegion(t, virginia)
			l := r.open()
			of := frankfurt
			for range 9 { // the value stays for a minute and a half
				report(l)
				l.Tick()
				r.clock.Advance(10 * time.Second)
			}
			var found *audit.Alert
			for _, a := range l.Alerts() {
				if a.Rule == rule {
					found = &a
				} else {
					assert.Equal(t, "AuditNotWritten", a.Rule, "no other")
				}
			}
			require.NotNil(t, found)
			if rule == "Refusals" {
				of = "Signature"
			}
			if rule == "StoreUnavailable" {
				of = "Unavailable"
			}
			assert.Equal(t, of, found.Of)
			r.clock.Advance(time.Hour) // nothing is reported any more
			l.Tick()
			assert.Empty(t, l.Alerts())
			l.Flush()
			all, _ := exported(t, l)
			assert.Len(t, named(all, "AlertBegan"), len(named(all, "AlertEnded")))
			assert.Equal(t, rule, named(all, "AlertBegan")[0].Additional["rule"])
		})
	}
}

func TestAlertsWaitForTheirTime(t *testing.T) {
	r := newRegion(t, virginia)
	l := r.open()
	for _, v := range []float64{9, 9, 1, 9, 9} { // never for a whole minute
		l.Observe("lag_seconds", frankfurt, v)
		l.Tick()
		r.clock.Advance(20 * time.Second)
	}
	assert.Empty(t, l.Alerts())
}
