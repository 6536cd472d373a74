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

// cache has every key that the process made, by kind and name. RSA keys take
// too long to make one for each test.
type cache struct {
	mu   sync.Mutex
	keys map[string]crypto.Signer // guarded by mu
}

var made = cache{keys: make(map[string]crypto.Signer)}

func (c *cache) get(id string, make func() (crypto.Signer, error)) crypto.Signer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys[id] == nil {
		key, err := make()
		if err != nil {
			panic(fmt.Sprint("testkit: ", err))
		}
		c.keys[id] = key
	}
	return c.keys[id]
}

// RSAKey returns the process's RSA key of that name, of 2,048 bits. The same
// name gets the same key.
func RSAKey(name string) *rsa.PrivateKey {
	return made.get("rsa "+name, func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }).(*rsa.PrivateKey)
}

// ECDSAKey returns the process's ECDSA key of that name, on P-256.
func ECDSAKey(name string) *ecdsa.PrivateKey {
	return made.get("ecdsa "+name, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }).(*ecdsa.PrivateKey)
}

// Certificate returns a new certificate of a key, signed by the key itself, which
// is valid from an hour before an instant to a day after it. With hosts, names or
// addresses, it is for TLS.
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
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err == nil {
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(der); err == nil {
			return cert
		}
	}
	panic(fmt.Sprint("testkit: ", err))
}
