package attack_test

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

const testdata = "../../testdata"

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// keys returns the keys in testdata/keys, by file name.
var keys = sync.OnceValue(func() map[string]crypto.Signer { return testkit.ReadKeys(testdata + "/keys") })

// certificates returns certificates for the keys. Each costs a signature, so they are
// made once.
var certificates = sync.OnceValue(func() map[string][]byte {
	out := make(map[string][]byte)
	for name, key := range keys() {
		if der, err := attack.NewCertificate(key, now); err == nil {
			out[name] = der
		}
	}
	return out
})

// keyFile returns the file of the identity provider's key of a kind.
func keyFile(kind attack.KeyKind) string {
	return map[attack.KeyKind]string{
		attack.AnyKey: "idp-rsa.pem", attack.RSA: "idp-rsa.pem", attack.ECDSA: "idp-ecdsa.pem",
		attack.RSA1024: "idp-rsa1024.pem",
		attack.RSA768:  "idp-rsa768.pem", attack.RSAExponent3: "idp-rsa-e3.pem", attack.RSAExponent1: "idp-rsa-e1.pem",
	}[kind]
}

// spKey is the service provider's decryption key.
func spKey() *rsa.PrivateKey { return keys()["sp-rsa.pem"].(*rsa.PrivateKey) }

const (
	issuer    = "https://idp.example/exk1"
	audience  = "https://us.signin.example/saml"
	recipient = "https://us.signin.example/acs"
	otherACS  = "https://eu.signin.example/acs"
	requestID = "_request1"

	otherIssuer = "https://other-idp.example/exk2"
	// requestToIssuer is the ID of a request to issuer, where the service provider has several identity providers. A
	// service provider may tell by it to which one the request was made, as Meridian's does.
	requestToIssuer = "_02fa152b23715081-ca2c77efc16a73c92fc83f4c7fed3760-5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
)

// params returns the same Params each time, so that documents can be compared.
func params(c attack.Case, n attack.Needs) attack.Params {
	p := attack.Params{
		Issuer: issuer, Audience: audience, Recipient: recipient, OtherACS: otherACS, RequestID: requestID, Now: now,
		Key: keys()[keyFile(n.Key)], Certificate: certificates()[keyFile(n.Key)],
		AttackerKey: keys()["attacker-rsa.pem"], Sign: n.Modes()[0],
		Attributes:    []attack.Attribute{{Name: "email", Values: []string{"alice@example.com"}}},
		NoCertificate: true,
		Rand:          rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", c.ID)))),
	}
	if n.Key == attack.ECDSA {
		p.AttackerKey = keys()["attacker-ecdsa.pem"]
	}
	if n.SP.OtherIdP {
		p.OtherIdP, p.OtherKey, p.RequestID = otherIssuer, keys()["other-idp-rsa.pem"], requestToIssuer
	}
	if n.Encrypted {
		p.EncryptTo = &spKey().PublicKey
	}
	return p
}

func makeIt(t *testing.T, c attack.Case) attack.Message {
	t.Helper()
	m, err := c.Make(params(c, c.Needs))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
