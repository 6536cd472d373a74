package sessions_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
	"github.com/meridian-saml/meridian/portal/keys"
)

func newSealer(t *testing.T) *keys.Sealer {
	t.Helper()
	r, err := keys.CreateRing(keys.RingConfig{Path: filepath.Join(t.TempDir(), "keys"), Region: "us-east-1",
		Key: make([]byte, 32)})
	require.NoError(t, err)
	k, err := r.Create(keys.KeyConfig{Policy: keys.Allow("sessions")})
	require.NoError(t, err)
	s, err := keys.NewSealer(keys.Config{Key: r.Use(k.ID, "sessions"), Instance: "one"})
	require.NoError(t, err)
	return s
}

func TestSealedRecordStoreKeepsTheContract(t *testing.T) {
	sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
		r, sealer := newRecords(), newSealer(t)
		open := func(name string) sessions.Store {
			return sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r, Region: name})
		}
		return []sessionstest.Region{
			{Name: "us-east-1", Store: open("us-east-1")}, {Name: "eu-central-1", Store: open("eu-central-1")},
		}
	}, sessionstest.Options{})
}

// A record names its user in its own place only, and only to those who have the key.
func TestRecordsAreSealed(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	r, sealer := newRecords(), newSealer(t)
	s := sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r})
	for _, id := range []string{"one", "two"} {
		require.NoError(t, s.Create(ctx, "key-"+id, sessions.Session{ID: id, SignIn: "s-" + id, UserID: "quokka",
			UserName: "quokka@example.com", Created: now, Seen: now, Expires: now.Add(time.Hour)}))
	}
	require.NoError(t, s.EndSignIn(ctx, "quokka", "s-three", now.Add(time.Hour)))
	var session []string
	for key, record := range r.all {
		assert.NotContains(t, string(record.Value)+key, "quokka")
		if strings.HasPrefix(key, "session.") {
			session = append(session, key)
		}
	}
	require.Len(t, session, 2)
	_, err := s.Get(ctx, "key-one")
	require.NoError(t, err)
	r.all[session[0]], r.all[session[1]] = r.all[session[1]], r.all[session[0]]
	_, err = s.Get(ctx, "key-one")
	var e *keys.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, keys.ReasonInvalidCiphertext, e.Reason, "another session's record")
}

func TestPlainRecordsAreAcceptedInAnUpgradeOnly(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	r, sealer := newRecords(), newSealer(t)
	plain := sessions.NewRecordStore(sessions.RecordConfig{InsecurePlaintext: true, Records: r})
	require.NoError(t, plain.RevokeUser(ctx, "u-1"))
	require.NoError(t, plain.Create(ctx, "key", sessions.Session{ID: "one", UserID: "u-2", Created: now, Seen: now,
		Expires: now.Add(time.Hour)}))
	sealed := sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r})
	_, err := sealed.Get(ctx, "key")
	require.Error(t, err)
	_, err = sealed.Epoch(ctx, "u-1")
	require.Error(t, err)
	upgrade := sessions.NewRecordStore(sessions.RecordConfig{Sealer: sealer, Records: r, InsecureOpenPlaintext: true})
	_, err = upgrade.Get(ctx, "key")
	require.NoError(t, err)
	e, err := upgrade.Epoch(ctx, "u-1")
	require.NoError(t, err)
	require.Equal(t, sessions.Epoch{"": 1}, e)
	require.NoError(t, upgrade.Touch(ctx, "key", now.Add(time.Minute)))
	got, err := sealed.Get(ctx, "key")
	require.NoError(t, err, "a write has sealed it")
	require.Equal(t, "one", got.ID)
}

func TestARecordStoreSealsOrSaysThatItDoesNot(t *testing.T) {
	r := newRecords()
	assert.Panics(t, func() { sessions.NewRecordStore(sessions.RecordConfig{Records: r}) })
	assert.Panics(t, func() {
		sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: newSealer(t), InsecurePlaintext: true})
	})
	assert.NotPanics(t, func() { sessions.NewRecordStore(sessions.RecordConfig{Records: r, Sealer: newSealer(t)}) })
}
