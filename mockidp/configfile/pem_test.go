package configfile_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/configfile"
)

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestKeysInEveryForm(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(ecKey)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ecKey)
	require.NoError(t, err)

	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))
	got, err := configfile.ParseKey([]byte(pkcs1))
	require.NoError(t, err)
	require.True(t, rsaKey.Equal(got))
	for _, text := range []string{block("EC PRIVATE KEY", sec1), block("PRIVATE KEY", pkcs8),
		block("EC PARAMETERS", []byte{6, 5}) + block("EC PRIVATE KEY", sec1),
		"a comment\n" + block("PRIVATE KEY", pkcs8) + "\n\n"} {
		got, err := configfile.ParseKey([]byte(text))
		require.NoError(t, err, text)
		require.True(t, ecKey.Equal(got))
		again, err := configfile.FormatKey(got)
		require.NoError(t, err)
		require.Equal(t, block("PRIVATE KEY", pkcs8), string(again))
	}

	edwards, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, 32)))
	require.NoError(t, err)
	for text, want := range map[string]string{
		"":                                  "which begins with",
		"x":                                 "which begins with",
		pkcs1[:len(pkcs1)/2]:                "which begins with",
		pkcs1 + pkcs1:                       "two blocks",
		pkcs1 + "x":                         "text after",
		block("CERTIFICATE", nil):           `got the block "CERTIFICATE"`,
		block("ENCRYPTED PRIVATE KEY", nil): "encrypted",
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAAA\n-----END RSA PRIVATE KEY-----\n": "encrypted",
		block("PRIVATE KEY", []byte("x")): "holds no private key",
		block("PRIVATE KEY", edwards):     "must be RSA or ECDSA",
	} {
		_, err := configfile.ParseKey([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
	_, err = configfile.ParseCertificate([]byte(block("CERTIFICATE", []byte("x"))))
	require.ErrorContains(t, err, "holds no certificate")
}
