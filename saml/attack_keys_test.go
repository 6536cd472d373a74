package saml_test

import (
	"crypto"
	"sync"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// attackKeys are the ones in testdata/keys, by file name.
var attackKeys = sync.OnceValue(func() map[string]crypto.Signer { return testkit.ReadKeys("../testdata/keys") })

// attackCertificates are created once, because each costs a signature.
var attackCertificates = sync.OnceValue(func() map[string][]byte {
	out := make(map[string][]byte)
	for name, key := range attackKeys() {
		if der, err := attack.NewCertificate(key, now); err == nil {
			out[name] = der
		}
	}
	return out
})

// keyFiles returns the files of our keys of a kind.
func keyFiles(kind attack.KeyKind) []string {
	return map[attack.KeyKind][]string{
		attack.AnyKey: {"idp-rsa.pem", "idp-ecdsa.pem"}, attack.RSA: {"idp-rsa.pem"}, attack.ECDSA: {"idp-ecdsa.pem"},
		attack.RSA1024: {"idp-rsa1024.pem"}, attack.RSA768: {"idp-rsa768.pem"}, attack.RSAExponent3: {"idp-rsa-e3.pem"},
		attack.RSAExponent1: {"idp-rsa-e1.pem"},
	}[kind]
}
