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

// What has expired is swept when a session is made.
func TestMemoryStoreForgetsWhatHasExpired(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	m := sessions.NewMemoryStore(sessions.MemoryConfig{})
	require.NoError(t, m.Create(ctx, "a", sessions.Session{UserID: "a", Created: now, Seen: now, Expires: now.Add(time.Hour)}))
	later := now.Add(time.Hour)
	require.NoError(t, m.Create(ctx, "b", sessions.Session{UserID: "b", Created: later, Seen: later, Expires: later.Add(time.Hour)}))
	assert.Equal(t, 1, m.Len())
}
