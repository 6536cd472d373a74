package awsapi_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/keys"
)

// A key of package keys seals tokens. Data that it didn't seal is told from a key that may not be used.
func TestKeySealer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	ring, err := keys.CreateRing(keys.RingConfig{Path: path, Region: "us-east-1", Key: key(1)})
	require.NoError(t, err)
	k, err := ring.Create(keys.KeyConfig{Policy: keys.Allow("api")})
	require.NoError(t, err)
	inner, err := keys.NewSealer(keys.Config{Key: ring.Use(k.ID, "api"), Instance: "one", CacheFor: time.Nanosecond})
	require.NoError(t, err)
	ctx, s := t.Context(), awsapi.KeySealer(inner)
	sealed, err := s.Seal(ctx, []byte("text"), []byte("for this"))
	require.NoError(t, err)
	plain, err := s.Open(ctx, sealed, []byte("for this"))
	require.NoError(t, err)
	assert.Equal(t, "text", string(plain))

	_, err = s.Open(ctx, sealed, []byte("for that"))
	require.ErrorIs(t, err, awsapi.ErrNotSealed)
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err := s.Open(ctx, changed, []byte("for this"))
		require.ErrorIs(t, err, awsapi.ErrNotSealed, "byte %d", i)
		_, err = s.Open(ctx, sealed[:i], []byte("for this"))
		require.ErrorIs(t, err, awsapi.ErrNotSealed, "cut at %d", i)
	}

	require.NoError(t, ring.Disable(k.ID))
	_, err = s.Open(ctx, sealed, []byte("for this"))
	require.Error(t, err)
	assert.NotErrorIs(t, err, awsapi.ErrNotSealed)
	reason, _ := keys.Refused(err)
	assert.Equal(t, keys.ReasonDisabled, reason)
	_, err = s.Seal(ctx, []byte("text"), []byte("for this"))
	require.Error(t, err)

	// A token of before says what the Sealer can't do, not that it is forged.
	require.NoError(t, ring.Enable(k.ID))
	tokens := awsapi.Tokens{Sealer: s, Audience: "one"}
	token, err := tokens.Seal(ctx, "access", time.Now().Add(time.Hour), "value")
	require.NoError(t, err)
	var value string
	require.NoError(t, tokens.Open(ctx, "access", token, &value))
	assert.Equal(t, "value", value)
	require.NoError(t, ring.Disable(k.ID))
	assert.Equal(t, awsapi.ReasonUnavailable, reasonOf(t, tokens.Open(ctx, "access", token, &value)))
}
