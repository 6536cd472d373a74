package testkit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"
)

// The keys that the process generated, by kind and name. Generating an RSA key takes too long to do it in each
// test.
var (
	keysMu sync.Mutex
	keys   = map[string]crypto.Signer{} // guarded by keysMu
)

func cachedKey[K crypto.Signer](id string, generate func() (K, error)) K {
	keysMu.Lock()
	defer keysMu.Unlock()
	if keys[id] == nil {
		keys[id] = must(generate())
	}
	return keys[id].(K)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprint("testkit: ", err))
	}
	return v
}

// RSAKey returns the process's 2048-bit RSA key of that name.
func RSAKey(name string) *rsa.PrivateKey {
	return cachedKey("rsa "+name, func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
}

// ECDSAKey returns the process's P-256 key of that name.
func ECDSAKey(name string) *ecdsa.PrivateKey {
	return cachedKey("ecdsa "+name, func() (*ecdsa.PrivateKey, error) {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	})
}

// Certificate returns a new self-signed certificate of key, valid from an hour before now to a day after it.
// With hosts, which are names or IP addresses, it is for TLS.
func Certificate(key crypto.Signer, now time.Time, hosts ...string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "testkit"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	if len(hosts) > 0 {
		template.Subject.CommonName = hosts[0]
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))))
}
