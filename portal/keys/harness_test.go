package keys_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/meridian-saml/meridian/portal/keys"
)

const (
	virginia  = "us-east-1"
	frankfurt = "eu-central-1"
	principal = "meridian"
)

// A clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// cheap is the fastest allowed KDF.
var cheap = keys.KDF{Passes: 1, KiB: 8 << 10, Lanes: 1}

func config(t *testing.T, region string, c *clock) keys.RingConfig {
	return keys.RingConfig{Path: filepath.Join(t.TempDir(), "keys"), Region: region,
		Passphrase: []byte("correct horse battery staple"), KDF: cheap, Now: c.Now}
}

func newRing(t *testing.T, region string, c *clock) (*keys.Ring, keys.RingConfig) {
	t.Helper()
	cfg := config(t, region, c)
	r, err := keys.CreateRing(cfg)
	require.NoError(t, err)
	return r, cfg
}

func create(t *testing.T, r *keys.Ring) string {
	t.Helper()
	k, err := r.Create(keys.KeyConfig{Policy: keys.Allow(principal)})
	require.NoError(t, err)
	return k.ID
}

// twoRegions are Rings with one multi-Region key.
func twoRegions(t *testing.T, c *clock) (a, b *keys.Ring, id string) {
	t.Helper()
	a, _ = newRing(t, virginia, c)
	b, _ = newRing(t, frankfurt, c)
	id = create(t, a)
	_, err := a.Replicate(id, b, nil)
	require.NoError(t, err)
	return a, b, id
}

func newSealer(t *testing.T, key tink.AEADWithContext, c *clock) *keys.Sealer {
	t.Helper()
	s, err := keys.NewSealer(keys.Config{Key: key, Instance: "ssoins-1", Now: c.Now})
	require.NoError(t, err)
	return s
}

func requireReason(t *testing.T, want keys.Reason, err error, msg ...any) {
	t.Helper()
	var e *keys.Error
	require.ErrorAs(t, err, &e, msg...)
	require.Equal(t, want, e.Reason, err)
	assert.Contains(t, err.Error(), "keys: "+string(want))
}

func seal(t *testing.T, s *keys.Sealer, plain string) []byte {
	t.Helper()
	b, err := s.Seal(t.Context(), []byte(plain), keys.Bind("user", "u1"))
	require.NoError(t, err)
	return b
}

func open(s *keys.Sealer, sealed []byte) (string, error) {
	b, err := s.Open(context.Background(), sealed, keys.Bind("user", "u1"))
	return string(b), err
}

func requireOpens(t *testing.T, s *keys.Sealer, sealed []byte, want string) {
	t.Helper()
	got, err := open(s, sealed)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func fileOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// A kms counts the calls to a key, and can be down.
type kms struct {
	tink.AEADWithContext
	mu    sync.Mutex
	calls int
	down  bool
}

var errDown = errors.New("no route to the KMS")

func (k *kms) call() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.down {
		return errDown
	}
	return nil
}

func (k *kms) setDown(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = down
}

func (k *kms) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

func (k *kms) EncryptWithContext(ctx context.Context, p, ad []byte) ([]byte, error) {
	if err := k.call(); err != nil {
		return nil, err
	}
	return k.AEADWithContext.EncryptWithContext(ctx, p, ad)
}

func (k *kms) DecryptWithContext(ctx context.Context, c, ad []byte) ([]byte, error) {
	if err := k.call(); err != nil {
		return nil, err
	}
	return k.AEADWithContext.DecryptWithContext(ctx, c, ad)
}
