package natsstore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/storetest"
	"github.com/meridian-saml/meridian/portal/keys"
)

// newKey makes a Sealer, and returns how to disable its key.
func newKey(t *testing.T) (s *keys.Sealer, disable func() error) {
	t.Helper()
	r, err := keys.CreateRing(keys.RingConfig{Path: filepath.Join(t.TempDir(), "keys"), Region: "us-east-1",
		Key: make([]byte, 32)})
	require.NoError(t, err)
	k, err := r.Create(keys.KeyConfig{Policy: keys.Allow("store")})
	require.NoError(t, err)
	s, err = keys.NewSealer(keys.Config{Key: r.Use(k.ID, "store"), Instance: "one", CacheFor: time.Nanosecond})
	require.NoError(t, err)
	return s, func() error { return r.Disable(k.ID) }
}

func TestASealedStoreKeepsTheContract(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	sealer, _ := newKey(t)
	count := 0
	storetest.Run(t, func(t *testing.T) acs.Store {
		count++
		return open(t, natsstore.Config{JetStream: js, Sealer: sealer, MaxRequests: 60, Prefix: fmt.Sprint("sealed-", count)})
	}, storetest.Options{MaxRequests: 60, RoundsUp: 5 * time.Second})
}

// A value is sealed for its own place, and a key that may not be used stops the store.
func TestValuesAreSealed(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	sealer, disable := newKey(t)
	sealed := open(t, natsstore.Config{JetStream: js, Sealer: sealer})
	plain := open(t, natsstore.Config{JetStream: js, InsecurePlaintext: true})
	upgrade := open(t, natsstore.Config{JetStream: js, Sealer: sealer, InsecureOpenPlaintext: true})
	ctx, value := t.Context(), []byte(`{"user":"quokka"}`)
	for _, key := range []string{request("a"), assertion("a")} {
		require.NoError(t, sealed.Add(ctx, key, value, soon()))
		got, err := plain.Take(ctx, key)
		require.NoError(t, err)
		assert.NotContains(t, string(got), "quokka")
		require.NoError(t, plain.Add(ctx, key+"b", got, soon()))
		_, err = sealed.Take(ctx, key+"b")
		requireReason(t, natsstore.ReasonUnavailable, err) // it was sealed for another key
		require.NoError(t, plain.Add(ctx, key, got, soon()))
		got, err = sealed.Take(ctx, key)
		require.NoError(t, err)
		assert.Equal(t, value, got)

		require.NoError(t, plain.Add(ctx, key, value, soon()))
		_, err = sealed.Take(ctx, key)
		requireReason(t, natsstore.ReasonUnavailable, err)
		require.NoError(t, plain.Add(ctx, key, value, soon()))
		got, err = upgrade.Take(ctx, key)
		require.NoError(t, err)
		assert.Equal(t, value, got)
	}
	require.NoError(t, disable())
	var e *keys.Error
	require.ErrorAs(t, sealed.Add(ctx, request("c"), value, soon()), &e)
	assert.Equal(t, keys.ReasonDisabled, e.Reason)
}

func TestAStoreSealsOrSaysThatItDoesNot(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	sealer, _ := newKey(t)
	for _, cfg := range map[string]natsstore.Config{
		"neither":       {JetStream: js},
		"both":          {JetStream: js, Sealer: sealer, InsecurePlaintext: true},
		"opens and not": {JetStream: js, InsecurePlaintext: true, InsecureOpenPlaintext: true},
	} {
		_, err := natsstore.New(t.Context(), cfg)
		requireReason(t, natsstore.ReasonConfig, err)
		_, err = natsstore.NewSessions(t.Context(), cfg, "")
		requireReason(t, natsstore.ReasonConfig, err)
	}
	s, err := natsstore.NewSessions(t.Context(), natsstore.Config{JetStream: js, Sealer: sealer, Timeout: time.Minute}, "")
	require.NoError(t, err)
	now := time.Now()
	require.NoError(t, s.Create(t.Context(), "key", sessions.Session{ID: "one", UserID: "quokka", Created: now,
		Expires: now.Add(time.Hour)}))
	got, err := s.Get(t.Context(), "key")
	require.NoError(t, err)
	assert.Equal(t, "quokka", got.UserID)
}

// A session that is copied to another store is none there, even under the same key: it may be another application's.
func TestASessionIsSealedForItsStore(t *testing.T) {
	js := testserver.StartNATS(t, 1).JetStream(0)
	sealer, _ := newKey(t)
	ctx, now, both := t.Context(), time.Now(), map[string]*sessions.RecordStore{}
	for _, prefix := range []string{"one", "two"} {
		s, err := natsstore.NewSessions(ctx, natsstore.Config{JetStream: js, Sealer: sealer, Prefix: prefix,
			Timeout: time.Minute}, "")
		require.NoError(t, err)
		both[prefix] = s
	}
	require.NoError(t, both["one"].Create(ctx, "key", sessions.Session{ID: "one", UserID: "quokka", Created: now,
		Expires: now.Add(time.Hour)}))
	stream, err := js.Stream(ctx, "one_sessions")
	require.NoError(t, err)
	last := stream.CachedInfo().State.LastSeq
	require.NotZero(t, last)
	for seq := range last {
		m, err := stream.GetMsg(ctx, seq+1)
		require.NoError(t, err)
		_, err = js.PublishMsg(ctx, &nats.Msg{Subject: "two" + strings.TrimPrefix(m.Subject, "one"), Data: m.Data})
		require.NoError(t, err)
	}
	_, err = both["one"].Get(ctx, "key")
	require.NoError(t, err)
	_, err = both["two"].Get(ctx, "key")
	var e *keys.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, keys.ReasonInvalidCiphertext, e.Reason)
}
