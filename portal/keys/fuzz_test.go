package keys_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/keys"
)

// written is a ring of an earlier build, with one key, and a value that its key sealed. A fuzzer has several processes:
// a ring that each made for itself would not open the inputs of the others.
func written(tb testing.TB) (file, sealed []byte, cfg keys.RingConfig) {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "ring.json"))
	require.NoError(tb, err)
	sealed, err = os.ReadFile(filepath.Join("testdata", "sealed.bin"))
	require.NoError(tb, err)
	cfg = keys.RingConfig{Path: filepath.Join(tb.TempDir(), "keys"), Region: virginia, Key: bytes.Repeat([]byte{7}, 32)}
	require.NoError(tb, os.WriteFile(cfg.Path, file, 0o600))
	return file, sealed, cfg
}

// FuzzFile: whatever is in the file, opening it either fails and leaves the file, or finds the keys that were written.
func FuzzFile(f *testing.F) {
	whole, _, cfg := written(f)
	r, err := keys.OpenRing(cfg)
	require.NoError(f, err)
	want := r.List()
	require.Len(f, want, 1)
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
			require.Equal(t, want, list)
		}
	})
}

// FuzzSealed: a value that opens is one that was sealed.
func FuzzSealed(f *testing.F) {
	_, sealed, cfg := written(f)
	r, err := keys.OpenRing(cfg)
	require.NoError(f, err)
	list := r.List()
	require.Len(f, list, 1)
	s, err := keys.NewSealer(keys.Config{
		Key: r.Use(list[0].ID, principal), Instance: "ssoins-1", Now: newClock().Now, CacheKeys: 4,
	})
	require.NoError(f, err)
	plain, err := s.Open(f.Context(), sealed, keys.Bind("user", "u1"))
	require.NoError(f, err)
	require.Equal(f, "Ada", string(plain))
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
