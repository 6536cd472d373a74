package sessions_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

func TestMemoryStoreKeepsTheContract(t *testing.T) {
	sessionstest.Run(t, func(*testing.T) []sessionstest.Region {
		return []sessionstest.Region{{Name: "us-east-1", Store: sessions.NewMemoryStore(sessions.MemoryConfig{})}}
	}, sessionstest.Options{})
}

func TestRegionsThatShareAMemoryStoreKeepTheContract(t *testing.T) {
	sessionstest.Run(t, func(*testing.T) []sessionstest.Region {
		s := sessions.NewMemoryStore(sessions.MemoryConfig{Region: "us-east-1"})
		return []sessionstest.Region{{Name: "us-east-1", Store: s}, {Name: "eu-central-1", Store: s}}
	}, sessionstest.Options{})
}

// Create removes expired entries.
func TestMemoryStoreRemovesExpired(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	m := sessions.NewMemoryStore(sessions.MemoryConfig{})
	require.NoError(
		t,
		m.Create(ctx, "a", sessions.Session{UserID: "a", Created: now, Seen: now, Expires: now.Add(time.Hour)}),
	)
	later := now.Add(time.Hour)
	require.NoError(
		t,
		m.Create(ctx, "b", sessions.Session{UserID: "b", Created: later, Seen: later, Expires: later.Add(time.Hour)}),
	)
	assert.Equal(t, 1, m.Len())
}

func TestRepeatedLogoutTakesNoMoreRoom(t *testing.T) {
	now := time.Now()
	l := sessions.Logout{Subject: sessions.Subject{Provider: "idp"}, Issued: now, Until: now.Add(time.Hour)}
	again, other := l, l
	again.Issued, again.Until = l.Issued.In(time.FixedZone("", 3600)), l.Until.Add(time.Minute)
	other.SessionIndexes = []string{"i-1"}
	for _, order := range [][]sessions.Logout{{l, again, other}, {again, other, l}} {
		var all []sessions.Logout
		for _, l := range order {
			all = sessions.AddLogout(all, l)
		}
		require.Len(t, all, 2)
		assert.Equal(t, again.Wall(), all[0], "which is remembered for longer")
	}
}
