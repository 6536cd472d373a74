package testkit

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
)

// ReadKeys returns the private keys of a folder's *.pem files, by file name. It panics if there is none, or if
// one can't be read.
func ReadKeys(folder string) map[string]crypto.Signer {
	files, err := filepath.Glob(filepath.Join(folder, "*.pem"))
	if err != nil || len(files) == 0 {
		panic(fmt.Sprintf("testkit: no keys in %s: %v", folder, err))
	}
	out := make(map[string]crypto.Signer)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			out[filepath.Base(file)], err = ParseKey(text)
		}
		if err != nil {
			panic(fmt.Sprintf("testkit: %s: %v", file, err))
		}
	}
	return out
}

// ParseKey parses a private key in PEM, in the form of SEC 1 or PKCS #1. It accepts RSA keys that crypto/x509
// refuses, such as those with a public exponent of 1, for tests that weak keys are refused.
func ParseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("testkit: not PEM")
	}
	if block.Type == "EC PRIVATE KEY" {
		return x509.ParseECPrivateKey(block.Bytes)
	}
	var raw struct { // RFC 8017 A.1.2
		Version              int
		N                    *big.Int
		E                    int
		D, P, Q, Dp, Dq, Inv *big.Int
	}
	if _, err := asn1.Unmarshal(block.Bytes, &raw); err != nil {
		return nil, err
	}
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: raw.N, E: raw.E}, D: raw.D, Primes: []*big.Int{raw.P, raw.Q}}
	key.Precompute()
	return key, nil
}
