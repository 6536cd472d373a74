package redisstore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/redisstore"
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
	client := testserver.StartRedis(t).Client()
	sealer, _ := newKey(t)
	count := 0
	storetest.Run(t, func(t *testing.T) acs.Store {
		count++
		return open(t, redisstore.Config{Client: client, Sealer: sealer,
			MaxRequests: 60, Prefix: fmt.Sprint("sealed-", count)})
	}, storetest.Options{MaxRequests: 60, RoundsUp: 5 * time.Second})
}

// A value is sealed for its own place, and a key that may not be used stops the store.
func TestValuesAreSealed(t *testing.T) {
	client := testserver.StartRedis(t).Client()
	sealer, disable := newKey(t)
	sealed := open(t, redisstore.Config{Client: client, Sealer: sealer})
	plain := open(t, redisstore.Config{Client: client, InsecurePlaintext: true})
	upgrade := open(t, redisstore.Config{Client: client, Sealer: sealer, InsecureOpenPlaintext: true})
	ctx, value := t.Context(), []byte(`{"user":"quokka"}`)
	for _, key := range []string{request("a"), assertion("a")} {
		require.NoError(t, sealed.Add(ctx, key, value, soon()))
		got, err := plain.Take(ctx, key)
		require.NoError(t, err)
		assert.NotContains(t, string(got), "quokka")
		require.NoError(t, plain.Add(ctx, key+"b", got, soon()))
		_, err = sealed.Take(ctx, key+"b")
		requireReason(t, redisstore.ReasonUnavailable, err) // it was sealed for another key
		require.NoError(t, plain.Add(ctx, key, got, soon()))
		got, err = sealed.Take(ctx, key)
		require.NoError(t, err)
		assert.Equal(t, value, got)

		require.NoError(t, plain.Add(ctx, key, value, soon()))
		_, err = sealed.Take(ctx, key)
		requireReason(t, redisstore.ReasonUnavailable, err)
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
	client := testserver.StartRedis(t).Client()
	sealer, _ := newKey(t)
	for _, cfg := range map[string]redisstore.Config{
		"neither":       {Client: client},
		"both":          {Client: client, Sealer: sealer, InsecurePlaintext: true},
		"opens and not": {Client: client, InsecurePlaintext: true, InsecureOpenPlaintext: true},
	} {
		_, err := redisstore.New(t.Context(), cfg)
		requireReason(t, redisstore.ReasonConfig, err)
		_, err = redisstore.NewSessions(t.Context(), cfg, "")
		requireReason(t, redisstore.ReasonConfig, err)
	}
	s, err := redisstore.NewSessions(t.Context(), redisstore.Config{Client: client, Sealer: sealer,
		Timeout: time.Minute}, "")
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
	client := testserver.StartRedis(t).Client()
	sealer, _ := newKey(t)
	ctx, now, both := t.Context(), time.Now(), map[string]*sessions.RecordStore{}
	for _, prefix := range []string{"one", "two"} {
		s, err := redisstore.NewSessions(ctx, redisstore.Config{Client: client, Sealer: sealer, Prefix: prefix,
			Timeout: time.Minute}, "")
		require.NoError(t, err)
		both[prefix] = s
	}
	require.NoError(t, both["one"].Create(ctx, "key", sessions.Session{ID: "one", UserID: "quokka", Created: now,
		Expires: now.Add(time.Hour)}))
	all, err := client.Keys(ctx, "meridian:{one}:sessions.*").Result()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, key := range all {
		v, err := client.Get(ctx, key).Result()
		require.NoError(t, err)
		require.NoError(t, client.Set(ctx, strings.Replace(key, "{one}", "{two}", 1), v, time.Hour).Err())
	}
	_, err = both["one"].Get(ctx, "key")
	require.NoError(t, err)
	_, err = both["two"].Get(ctx, "key")
	var e *keys.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, keys.ReasonInvalidCiphertext, e.Reason)
}
