package mockidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"

	dsig "github.com/russellhaering/goxmldsig"
)

// SignatureMethod is the identifier of a signature algorithm (XML Signature 1.1, 6.4). The digests in the signature
// use the same hash.
type SignatureMethod string

// The signature methods. Which ones an app can use depends on the key.
const (
	RSASHA256   SignatureMethod = dsig.RSASHA256SignatureMethod
	RSASHA384   SignatureMethod = dsig.RSASHA384SignatureMethod
	RSASHA512   SignatureMethod = dsig.RSASHA512SignatureMethod
	ECDSASHA256 SignatureMethod = dsig.ECDSASHA256SignatureMethod
	ECDSASHA384 SignatureMethod = dsig.ECDSASHA384SignatureMethod
	ECDSASHA512 SignatureMethod = dsig.ECDSASHA512SignatureMethod

	// InsecureRSASHA1 is Okta's RSA_SHA1, for testing that a service provider refuses it: SHA-1 signatures can be
	// forged.
	InsecureRSASHA1 SignatureMethod = dsig.RSASHA1SignatureMethod
)

var (
	rsaMethods   = []SignatureMethod{RSASHA256, RSASHA384, RSASHA512, InsecureRSASHA1}
	ecdsaMethods = []SignatureMethod{ECDSASHA256, ECDSASHA384, ECDSASHA512}

	signatureHashes = map[SignatureMethod]crypto.Hash{
		RSASHA256: crypto.SHA256, RSASHA384: crypto.SHA384, RSASHA512: crypto.SHA512, InsecureRSASHA1: crypto.SHA1,
		ECDSASHA256: crypto.SHA256, ECDSASHA384: crypto.SHA384, ECDSASHA512: crypto.SHA512,
	}
)

// methodsFor lists the methods of a key, the default first. It is nil for a key that can't make XML signatures.
func methodsFor(pub crypto.PublicKey) []SignatureMethod {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return rsaMethods
	case *ecdsa.PublicKey:
		switch pub.Curve {
		case elliptic.P256():
			return ecdsaMethods
		case elliptic.P384():
			return []SignatureMethod{ECDSASHA384, ECDSASHA256, ECDSASHA512}
		case elliptic.P521():
			return []SignatureMethod{ECDSASHA512, ECDSASHA256, ECDSASHA384}
		}
	}
	return nil
}

// EncryptionMethod is how an assertion is encrypted (XML Encryption 1.1, 5.2).
type EncryptionMethod string

// The encryption methods. Service providers should refuse CBC where nothing else protects the message: padding
// oracles reveal its plaintext.
const (
	AES128GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES192GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes192-gcm"
	AES256GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES192CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes192-cbc"
	AES256CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
)

// keySizes are in bytes.
var keySizes = map[EncryptionMethod]int{
	AES128GCM: 16, AES128CBC: 16, AES192GCM: 24, AES192CBC: 24, AES256GCM: 32, AES256CBC: 32,
}

func (m EncryptionMethod) cbc() bool { return m == AES128CBC || m == AES192CBC || m == AES256CBC }

// KeyTransport is how the key of an encrypted assertion is encrypted (XML Encryption 1.1, 5.5).
type KeyTransport string

// The key transports.
const (
	// RSAOAEPMGF1P is OAEP of XML Encryption 1.0, whose mask function is always MGF1 with SHA-1. It is supported most
	// widely.
	RSAOAEPMGF1P KeyTransport = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	// RSAOAEP is OAEP of XML Encryption 1.1, which names its mask function.
	RSAOAEP KeyTransport = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	// InsecureRSA15 is PKCS #1 v1.5, for testing that a service provider refuses it: Bleichenbacher's attack
	// decrypts it.
	InsecureRSA15 KeyTransport = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
)

// Hash is a hash function of OAEP, by the last part of its identifiers.
type Hash string

// The hash functions.
const (
	SHA1   Hash = "sha1" // secure in OAEP, which doesn't depend on collision resistance
	SHA256 Hash = "sha256"
	SHA384 Hash = "sha384"
	SHA512 Hash = "sha512"
)

// hashes holds the function and the DigestMethod of each Hash.
var hashes = map[Hash]struct {
	crypto.Hash
	uri string
}{
	SHA1:   {crypto.SHA1, dsig.Namespace + "sha1"},
	SHA256: {crypto.SHA256, nsXEnc + "sha256"},
	SHA384: {crypto.SHA384, "http://www.w3.org/2001/04/xmldsig-more#sha384"},
	SHA512: {crypto.SHA512, nsXEnc + "sha512"},
}
