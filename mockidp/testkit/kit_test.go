package testkit_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestClock(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	c := testkit.NewClock(began)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { c.Advance(time.Minute) })
	}
	wg.Wait()
	c.Advance(-time.Hour)
	assert.Equal(t, began.Add(-52*time.Minute), c.Now())
	c.Set(began)
	assert.Equal(t, began, c.Now())
}

func TestKeysAreCached(t *testing.T) {
	t.Parallel()
	assert.Same(t, testkit.RSAKey("a"), testkit.RSAKey("a"))
	assert.NotEqual(t, testkit.RSAKey("a"), testkit.RSAKey("b"))
	assert.Equal(t, 2048, testkit.RSAKey("a").N.BitLen())
	assert.Same(t, testkit.ECDSAKey("a"), testkit.ECDSAKey("a"))
	assert.Equal(t, "P-256", testkit.ECDSAKey("a").Curve.Params().Name)
	now := time.Now()
	for _, key := range []crypto.Signer{testkit.RSAKey("a"), testkit.ECDSAKey("a")} {
		cert := testkit.Certificate(key, now)
		assert.Equal(t, key.Public(), cert.PublicKey)
		assert.True(t, cert.NotBefore.Before(now) && cert.NotAfter.After(now))
	}
	tls := testkit.Certificate(testkit.ECDSAKey("a"), now, "a.example", "127.0.0.1")
	assert.NoError(t, tls.VerifyHostname("a.example"))
	assert.NoError(t, tls.VerifyHostname("127.0.0.1"))
	assert.Error(t, tls.VerifyHostname("b.example"))
	assert.Panics(t, func() { testkit.Certificate(weak{}, now) })
}

type weak struct{ crypto.Signer }

func (weak) Public() crypto.PublicKey { return nil }

func TestReadKeys(t *testing.T) {
	t.Parallel()
	keys := testkit.ReadKeys("../../testdata/keys")
	assert.IsType(t, &ecdsa.PrivateKey{}, keys["idp-ecdsa.pem"])
	assert.Equal(t, 1, keys["idp-rsa-e1.pem"].(*rsa.PrivateKey).E, "too weak for crypto/x509")
	assert.Panics(t, func() { testkit.ReadKeys(t.TempDir()) })
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.pem"), []byte("no key"), 0o600))
	assert.Panics(t, func() { testkit.ReadKeys(dir) })
	_, err := testkit.ParseKey([]byte("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"))
	assert.Error(t, err)
}
