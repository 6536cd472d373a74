package mockidp_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func fingerprint(idp *mockidp.Server) string {
	sum := sha256.Sum256(idp.Certificate().Raw)
	return hex.EncodeToString(sum[:])
}

func TestNewSignsWithThePublishedKey(t *testing.T) {
	one, two := start(t, mockidp.Config{}), start(t, mockidp.Config{Org: "Other"})
	require.Equal(t, mockidp.TestKeyFingerprint, fingerprint(one))
	require.Equal(t, mockidp.TestKeyFingerprint, fingerprint(two))
	page := getPage(t, one, one.SignInURL())
	assert.Contains(t, page, "Published test key: anyone can sign as this identity provider")
	assert.Contains(t, page, mockidp.TestKeyFingerprint[:16])
	assert.True(t, one.Config().InsecureTestKey)
	assert.Nil(t, one.Config().Key, "nothing exports the key as one that may be used elsewhere")

	own := start(t, mockidp.Config{Key: rsaKey()})
	assert.NotEqual(t, mockidp.TestKeyFingerprint, fingerprint(own))
	assert.Empty(t, own.Notices())
	assert.NotContains(t, getPage(t, own, own.SignInURL()), "ublished test key")
	opened := must(mockidp.Open(mockidp.Config{BaseURL: "http://idp.example:1"}))
	assert.NotEqual(t, mockidp.TestKeyFingerprint, fingerprint(opened), "Open can't know the listener")
	_, err := mockidp.Open(mockidp.Config{InsecureTestKey: true, Key: rsaKey()})
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
}

func getPage(t *testing.T, idp *mockidp.Server, addr string) string {
	t.Helper()
	r, err := idp.Client().Get(addr)
	require.NoError(t, err)
	defer r.Body.Close()
	return string(must(io.ReadAll(r.Body)))
}

// A listener that other machines can reach never signs with the published key, even if it was asked for.
func TestPublishedKeyStaysOnLoopback(t *testing.T) {
	for name, open := range map[string]func(*mockidp.Server){
		"asked for": func(*mockidp.Server) {},
		"changed before Start": func(idp *mockidp.Server) {
			require.NoError(t, idp.AddUser(mockidp.User{Login: "late@example.com"}))
		},
	} {
		idp := mockidp.NewUnstarted(mockidp.Config{})
		open(idp)
		tenant := must(idp.Tenant("early"))
		require.NoError(t, idp.Listener.Close())
		var err error
		idp.Listener, err = net.Listen("tcp4", "0.0.0.0:0")
		require.NoError(t, err)
		idp.Start()
		t.Cleanup(idp.Close)
		assert.NotEqual(t, mockidp.TestKeyFingerprint, fingerprint(idp), name)
		assert.Empty(t, idp.Notices())
		before := fingerprint(idp)
		idp.Reset()
		assert.Equal(t, before, fingerprint(idp), "Reset keeps the new key")
		assert.Equal(t, before, fingerprint(tenant), "a tenant made before Start has it, too")
		tenant.Reset()
		assert.Equal(t, before, fingerprint(tenant))
		_, late := idp.User("late@example.com")
		assert.False(t, late, "and no change made before Start")
	}
}

// Through a handler, or with the key added later or given as one's own, such connections are refused.
func TestConnectionsFromElsewhereAreRefusedWithThePublishedKey(t *testing.T) {
	idp := start(t, mockidp.Config{})
	from := func(to *mockidp.Server, local string) int {
		addr, err := net.ResolveTCPAddr("tcp", local)
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, to.SignInURL(), nil)
		w := httptest.NewRecorder()
		to.Handler().ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr)))
		return w.Code
	}
	for local, want := range map[string]int{"127.0.0.1:1": 200, "[::1]:1": 200, "192.0.2.1:1": 403,
		"[2001:db8::1]:1": 403} {
		assert.Equal(t, want, from(idp, local), local)
		tenant := must(idp.Tenant("t"))
		assert.Equal(t, want, from(tenant, local), local)
	}
	other := must(mockidp.Open(mockidp.Config{BaseURL: idp.URL, Key: rsaKey()}))
	assert.Equal(t, 200, from(other, "192.0.2.1:1"))
	app := other.Apps()[0]
	published := publishedKey(t)
	_, err := other.AddAppKey(app.ID, published, nil)
	require.NoError(t, err)
	assert.Equal(t, 403, from(other, "192.0.2.1:1"))
	given := must(mockidp.Open(mockidp.Config{BaseURL: idp.URL, Key: published}))
	assert.Equal(t, 403, from(given, "192.0.2.1:1"), "with another certificate, too")
}

func publishedKey(t *testing.T) crypto.Signer {
	t.Helper()
	raw, err := os.ReadFile("testkey.pem")
	require.NoError(t, err)
	_, rest := pem.Decode(raw)
	block, _ := pem.Decode(rest)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key.(crypto.Signer)
}

// What a test saves that needs no key of its own.
func BenchmarkOpen(b *testing.B) {
	for name, published := range map[string]bool{"published key": true, "new key": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				must(mockidp.Open(mockidp.Config{InsecureTestKey: published}))
			}
		})
	}
}
