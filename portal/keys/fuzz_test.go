package keys_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/keys"
)

// FuzzFile: whatever is in the file, opening it either fails and leaves the file, or finds the keys that were written.
func FuzzFile(f *testing.F) {
	dir := f.TempDir()
	cfg := keys.RingConfig{Path: filepath.Join(dir, "seed"), Region: virginia, Key: bytes.Repeat([]byte{7}, 32)}
	r, err := keys.CreateRing(cfg)
	require.NoError(f, err)
	_, err = r.Create(keys.KeyConfig{Policy: keys.Allow(principal)})
	require.NoError(f, err)
	written := r.List()
	whole, err := os.ReadFile(cfg.Path)
	require.NoError(f, err)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"format":1,"region":"us-east-1","argon2id":{"passes":1,"kib":8192,"lanes":1},` +
		`"salt":"AAAAAAAAAAAAAAAAAAAAAA==","check":"AAAAAAAAAAAAAAAAAAAAAA==","sealed":"AAAA"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg := cfg
		cfg.Path = filepath.Join(t.TempDir(), "keys")
		require.NoError(t, os.WriteFile(cfg.Path, b, 0o600))
		opened, err := keys.OpenRing(cfg)
		left, readErr := os.ReadFile(cfg.Path)
		require.NoError(t, readErr)
		require.Equal(t, b, left)
		if err != nil {
			require.Nil(t, opened)
			return
		}
		require.NoError(t, keys.ReadFile(b))
		if list := opened.List(); len(list) > 0 { // no key: an earlier state of the file
			require.Equal(t, written, list)
		}
	})
}

// FuzzSealed: a value that opens is one that was sealed.
func FuzzSealed(f *testing.F) {
	c := newClock()
	cfg := keys.RingConfig{Path: filepath.Join(f.TempDir(), "seed"), Region: virginia, Key: bytes.Repeat([]byte{7}, 32)}
	r, err := keys.CreateRing(cfg)
	require.NoError(f, err)
	k, err := r.Create(keys.KeyConfig{Policy: keys.Allow(principal)})
	require.NoError(f, err)
	s, err := keys.NewSealer(keys.Config{Key: r.Use(k.ID, principal), Instance: "ssoins-1", Now: c.Now, CacheKeys: 4})
	require.NoError(f, err)
	sealed, err := s.Seal(f.Context(), []byte("Ada"), keys.Bind("user", "u1"))
	require.NoError(f, err)
	f.Add(sealed, keys.Bind("user", "u1"))
	f.Add(sealed[:len(sealed)-1], keys.Bind("user", "u1"))
	f.Add([]byte{1, 0, 0, 0, 1, 255, 255}, []byte{})
	f.Fuzz(func(t *testing.T, b, ad []byte) {
		plain, err := s.Open(t.Context(), b, ad)
		if err != nil {
			require.Nil(t, plain)
			requireReason(t, keys.ReasonInvalidCiphertext, err)
			return
		}
		require.Equal(t, sealed, b)
		require.Equal(t, keys.Bind("user", "u1"), ad)
		require.LessOrEqual(t, s.CachedKeys(), 4)
	})
}
