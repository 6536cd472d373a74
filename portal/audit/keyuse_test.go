package audit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

func TestKeyUseIsWritten(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.Keys = []*audit.KeyUse{r.use}
	l := r.open()
	require.NoError(t, l.Change(t.Context(), audit.Event{Source: audit.SourceSSO, Name: "AddRegion"}))
	l.Flush()
	all, wrong := exported(t, l)
	require.Empty(t, wrong)
	got := named(all, "GenerateDataKey")
	require.NotEmpty(t, got)
	assert.Equal(t, audit.SourceKMS, got[0].Source)
	assert.Equal(t, r.keyID, got[0].Request["keyId"])
	assert.Empty(t, got[0].ErrorCode)
}

// While the key is disabled nothing can be sealed. The events of that time, and those of the key, are written after it.
func TestRule70AKeyThatCantBeUsedIsAnAlertAndAnEvent(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.Keys = []*audit.KeyUse{r.use}
	var alerts []audit.Alert
	r.cfg.OnAlert = func(a audit.Alert) { alerts = append(alerts, a) }
	l := r.open()
	require.NoError(t, l.Access(t.Context(), signIn("before")))
	require.NoError(t, r.ring.Disable(r.keyID))
	r.clock.Advance(time.Minute) // the data key must be asked for again
	require.Equal(t, audit.ReasonKey, reason(l.Access(t.Context(), signIn("during"))))
	l.Tick()
	require.NotEmpty(t, alerts)
	on := map[string]bool{}
	for _, a := range alerts {
		on[a.Rule] = a.On
	}
	assert.True(t, on["KeyUnusable"])
	_, err := l.Export(t.Context(), discard{}, nil)
	require.Equal(t, audit.ReasonKey, reason(err), "an unusable key is not damage")

	require.NoError(t, r.ring.Enable(r.keyID))
	require.NoError(t, l.Access(t.Context(), signIn("after")))
	require.Eventually(t, func() bool {
		all, wrong := exported(t, l)
		refused := 0
		for _, e := range all {
			if e.Source == audit.SourceKMS && e.ErrorCode == "KMS_DisabledException" {
				refused++
			}
		}
		return len(wrong) == 0 && refused > 0 && len(named(all, "UserAuthentication")) == 3
	}, time.Minute, 20*time.Millisecond)
	l.Tick()
	for _, a := range l.Alerts() {
		assert.NotEqual(t, "KeyUnusable", a.Rule)
	}
}
