package saml_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// attackKeys are the ones in testdata/keys.
var attackKeys = sync.OnceValue(func() map[string]crypto.Signer {
	files, err := filepath.Glob("../testdata/keys/*.pem")
	if err != nil || len(files) == 0 {
		panic(fmt.Sprint("no keys in testdata/keys: ", err))
	}
	out := make(map[string]crypto.Signer)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		if out[filepath.Base(file)], err = parseKey(text); err != nil {
			panic(fmt.Sprint(file, ": ", err))
		}
	}
	return out
})

// parseKey reads keys that are too weak for the standard library, too.
func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("not PEM")
	}
	if block.Type == "EC PRIVATE KEY" {
		return x509.ParseECPrivateKey(block.Bytes)
	}
	var raw struct {
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

// attackCertificates are made once: they cost a signature each.
var attackCertificates = sync.OnceValue(func() map[string][]byte {
	out := make(map[string][]byte)
	for name, key := range attackKeys() {
		if der, err := attack.NewCertificate(key, now); err == nil {
			out[name] = der
		}
	}
	return out
})

// keyFiles says which of our keys are of a kind.
func keyFiles(kind attack.KeyKind) []string {
	return map[attack.KeyKind][]string{
		attack.AnyKey: {"idp-rsa.pem", "idp-ecdsa.pem"}, attack.RSA: {"idp-rsa.pem"}, attack.ECDSA: {"idp-ecdsa.pem"},
		attack.RSA1024: {"idp-rsa1024.pem"}, attack.RSA768: {"idp-rsa768.pem"}, attack.RSAExponent3: {"idp-rsa-e3.pem"},
		attack.RSAExponent1: {"idp-rsa-e1.pem"},
	}[kind]
}
