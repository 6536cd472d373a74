package keys_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/keys"
)

func TestAKeyOutlivesTheProcess(t *testing.T) {
	c := newClock()
	for name, change := range map[string]func(*keys.RingConfig){
		"passphrase":     func(*keys.RingConfig) {},
		"operator's key": func(cfg *keys.RingConfig) { cfg.Passphrase, cfg.Key = nil, bytes.Repeat([]byte{7}, 32) },
	} {
		cfg := config(t, virginia, c)
		change(&cfg)
		r, err := keys.CreateRing(cfg)
		require.NoError(t, err, name)
		id := create(t, r)
		sealed := seal(t, newSealer(t, r.Use(id, principal), c), "Ada")
		require.NoError(t, r.Close())
		again, err := keys.OpenRing(cfg)
		require.NoError(t, err, name)
		requireOpens(t, newSealer(t, again.Use(id, principal), c), sealed, "Ada")
		k, err := again.Describe(id)
		require.NoError(t, err)
		assert.Equal(t, keys.Counts{Encrypt: 1, Decrypt: 1}, k.Used, "what was counted is stored")
		info, err := os.Stat(cfg.Path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		left, err := os.ReadDir(filepath.Dir(cfg.Path))
		require.NoError(t, err)
		assert.Len(t, left, 1, "no temporary file is left")
	}
}

// A Ring that can't be opened stays as it is on disk, whatever is wrong. Its twin, the unchanged file with the right
// passphrase, opens at the end.
func TestAFileThatIsLostOrWrongIsAnErrorAndStays(t *testing.T) {
	c := newClock()
	r, cfg := newRing(t, virginia, c)
	id := create(t, r)
	sealed := seal(t, newSealer(t, r.Use(id, principal), c), "Ada")
	whole := fileOf(t, cfg.Path)
	var parsed map[string]any
	require.NoError(t, json.Unmarshal(whole, &parsed))
	edited := func(edit func(f map[string]any)) []byte {
		var f map[string]any
		require.NoError(t, json.Unmarshal(whole, &f))
		edit(f)
		b, err := json.Marshal(f)
		require.NoError(t, err)
		return b
	}
	wrong := func(c *keys.RingConfig) { c.Passphrase = []byte("wrong horse") }
	key := func(c *keys.RingConfig) { c.Passphrase, c.Key = nil, make([]byte, 32) }
	moved := func(c *keys.RingConfig) { c.Region = frankfurt }
	setTo := func(name, v string) []byte { return edited(func(f map[string]any) { f[name] = v }) }
	kdf := func(name string, v any) []byte {
		return edited(func(f map[string]any) { f["argon2id"].(map[string]any)[name] = v })
	}
	for name, test := range map[string]struct {
		content []byte
		change  func(*keys.RingConfig)
		want    keys.Reason
	}{
		"no file":                 {nil, nil, keys.ReasonNoFile},
		"empty":                   {[]byte{}, nil, keys.ReasonCorrupt},
		"half":                    {whole[:len(whole)/2], nil, keys.ReasonCorrupt},
		"all but one byte":        {whole[:len(whole)-1], nil, keys.ReasonCorrupt},
		"something after it":      {append(bytes.Clone(whole), "{}"...), nil, keys.ReasonCorrupt},
		"another file":            {[]byte("-----BEGIN CERTIFICATE-----"), nil, keys.ReasonCorrupt},
		"a later format":          {edited(func(f map[string]any) { f["format"] = 2 }), nil, keys.ReasonCorrupt},
		"an unknown field":        {edited(func(f map[string]any) { f["more"] = 2 }), nil, keys.ReasonCorrupt},
		"no content":              {edited(func(f map[string]any) { delete(f, "sealed") }), nil, keys.ReasonCorrupt},
		"too much memory":         {kdf("kib", 1<<30), nil, keys.ReasonCorrupt},
		"too little memory":       {kdf("kib", 8), nil, keys.ReasonCorrupt},
		"too many passes":         {kdf("passes", 1000), nil, keys.ReasonCorrupt},
		"no lanes":                {kdf("lanes", 0), nil, keys.ReasonCorrupt},
		"other parameters":        {kdf("passes", 2), nil, keys.ReasonWrongSecret},
		"another salt":            {setTo("salt", "AAAAAAAAAAAAAAAAAAAAAA=="), nil, keys.ReasonWrongSecret},
		"wrong passphrase":        {whole, wrong, keys.ReasonWrongSecret},
		"a key for a passphrase":  {whole, key, keys.ReasonWrongSecret},
		"another Region's":        {whole, moved, keys.ReasonConfig},
		"another Region's, moved": {setTo("region", frankfurt), moved, keys.ReasonCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			cfg.Path = filepath.Join(t.TempDir(), "keys")
			if test.content != nil {
				require.NoError(t, os.WriteFile(cfg.Path, test.content, 0o600))
			}
			if test.change != nil {
				test.change(&cfg)
			}
			r, err := keys.OpenRing(cfg)
			requireReason(t, test.want, err)
			require.Nil(t, r)
			if test.content == nil {
				require.NoFileExists(t, cfg.Path)
				return
			}
			require.Equal(t, test.content, fileOf(t, cfg.Path), "nothing is overwritten")
			_, err = keys.CreateRing(cfg)
			requireReason(t, keys.ReasonExists, err)
			require.Equal(t, test.content, fileOf(t, cfg.Path))
		})
	}
	again, err := keys.OpenRing(cfg)
	require.NoError(t, err)
	requireOpens(t, newSealer(t, again.Use(id, principal), c), sealed, "Ada")
}

// A change of any byte of the file is noticed. FuzzFile tries other changes.
func TestEveryByteOfTheFileCounts(t *testing.T) {
	cfg := config(t, virginia, newClock())
	cfg.Passphrase, cfg.Key = nil, bytes.Repeat([]byte{7}, 32) // no KDF, for speed
	r, err := keys.CreateRing(cfg)
	require.NoError(t, err)
	create(t, r)
	whole := fileOf(t, cfg.Path)
	for i := 0; i < len(whole); i += 5 {
		b := bytes.Clone(whole)
		b[i] ^= 1
		require.NoError(t, os.WriteFile(cfg.Path, b, 0o600))
		if opened, err := keys.OpenRing(cfg); err == nil {
			// JSON has names in any case, and base64 has unused bits.
			require.Equal(t, r.List(), opened.List(), "byte %d: %q", i, b[max(0, i-10):i+1])
		}
	}
}

func TestAFileThatAnotherProcessChangedIsNotOverwritten(t *testing.T) {
	c := newClock()
	r, cfg := newRing(t, virginia, c)
	id := create(t, r)
	other, err := keys.OpenRing(cfg)
	require.NoError(t, err)
	require.NoError(t, other.Disable(id))
	changed := fileOf(t, cfg.Path)
	requireReason(t, keys.ReasonConflict, r.PutPolicy(id, keys.Policy{}))
	require.Equal(t, changed, fileOf(t, cfg.Path))
	k, err := r.Describe(id)
	require.NoError(t, err)
	require.Equal(t, keys.Enabled, k.State, "until Reload")
	require.NoError(t, r.Reload())
	k, err = r.Describe(id)
	require.NoError(t, err)
	require.Equal(t, keys.Disabled, k.State)
	require.NoError(t, r.Enable(id))

	require.NoError(t, os.WriteFile(cfg.Path, changed[:20], 0o600))
	requireReason(t, keys.ReasonCorrupt, r.Reload())
	requireReason(t, keys.ReasonConflict, r.Disable(id))
	require.NoError(t, newSealer(t, r.Use(id, principal), c).Check(t.Context()), "it goes on with what it has")

	require.NoError(t, os.Remove(cfg.Path))
	requireReason(t, keys.ReasonNoFile, r.Reload())
	require.NoError(t, r.Disable(id), "a lost file is written again")
	again, err := keys.OpenRing(cfg)
	require.NoError(t, err)
	require.Len(t, again.List(), 1)
}

func TestADiskThatTakesNoWritesChangesNothing(t *testing.T) {
	r, cfg := newRing(t, virginia, newClock())
	id := create(t, r)
	require.NoError(t, os.RemoveAll(filepath.Dir(cfg.Path)))
	requireReason(t, keys.ReasonUnavailable, r.Disable(id))
	k, err := r.Describe(id)
	require.NoError(t, err)
	require.Equal(t, keys.Enabled, k.State)
	_, err = r.Create(keys.KeyConfig{})
	requireReason(t, keys.ReasonUnavailable, err)
	require.Len(t, r.List(), 1)
}

func TestConfigOfARing(t *testing.T) {
	for name, change := range map[string]func(*keys.RingConfig){
		"no path":          func(c *keys.RingConfig) { c.Path = "" },
		"no Region":        func(c *keys.RingConfig) { c.Region = "" },
		"no secret":        func(c *keys.RingConfig) { c.Passphrase = nil },
		"short passphrase": func(c *keys.RingConfig) { c.Passphrase = []byte("1234567") },
		"both secrets":     func(c *keys.RingConfig) { c.Key = make([]byte, 32) },
		"short key":        func(c *keys.RingConfig) { c.Passphrase, c.Key = nil, make([]byte, 16) },
		"weak KDF":         func(c *keys.RingConfig) { c.KDF = keys.KDF{KiB: 1024} },
	} {
		cfg := config(t, virginia, newClock())
		change(&cfg)
		_, err := keys.CreateRing(cfg)
		requireReason(t, keys.ReasonConfig, err, name)
		_, err = keys.OpenRing(cfg)
		requireReason(t, keys.ReasonConfig, err, name)
	}
}
