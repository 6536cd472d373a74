package mockidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"

	dsig "github.com/russellhaering/goxmldsig"
)

// SignatureMethod is the algorithm of a signature, by its identifier (XML
// Signature 1.1, 6.4). The digests in the signature use the same hash.
type SignatureMethod string

// The signature methods. Which ones an app can use depends on the key.
const (
	RSASHA256   SignatureMethod = dsig.RSASHA256SignatureMethod
	RSASHA384   SignatureMethod = dsig.RSASHA384SignatureMethod
	RSASHA512   SignatureMethod = dsig.RSASHA512SignatureMethod
	ECDSASHA256 SignatureMethod = dsig.ECDSASHA256SignatureMethod
	ECDSASHA384 SignatureMethod = dsig.ECDSASHA384SignatureMethod
	ECDSASHA512 SignatureMethod = dsig.ECDSASHA512SignatureMethod

	// InsecureRSASHA1 is Okta's RSA_SHA1, for finding out that a service
	// provider refuses it: SHA-1 signatures can be forged.
	InsecureRSASHA1 SignatureMethod = dsig.RSASHA1SignatureMethod
)

var (
	rsaMethods   = []SignatureMethod{RSASHA256, RSASHA384, RSASHA512, InsecureRSASHA1}
	ecdsaMethods = []SignatureMethod{ECDSASHA256, ECDSASHA384, ECDSASHA512}
)

// methodsFor lists what a key can sign by, its usual method first. It is nil
// for a key that XML signatures have no use for.
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

// The encryption methods. Service providers ought to refuse CBC where nothing
// else protects the message: its plaintext can be had by asking often enough.
const (
	AES128GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES192GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes192-gcm"
	AES256GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES192CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes192-cbc"
	AES256CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
)

// keySize is in bytes; 0 for a method that isn't spoken here.
func (m EncryptionMethod) keySize() int {
	switch m {
	case AES128GCM, AES128CBC:
		return 16
	case AES192GCM, AES192CBC:
		return 24
	case AES256GCM, AES256CBC:
		return 32
	}
	return 0
}

func (m EncryptionMethod) cbc() bool { return m == AES128CBC || m == AES192CBC || m == AES256CBC }

// KeyTransport is how the key of an encrypted assertion is encrypted (XML
// Encryption 1.1, 5.5).
type KeyTransport string

// The key transports.
const (
	// RSAOAEPMGF1P is OAEP of XML Encryption 1.0, whose mask function is
	// always MGF1 with SHA-1. Everybody understands it.
	RSAOAEPMGF1P KeyTransport = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	// RSAOAEP is OAEP of XML Encryption 1.1, which names its mask function.
	RSAOAEP KeyTransport = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	// InsecureRSA15 is PKCS #1 v1.5, for finding out that a service provider
	// refuses it: it can be opened by Bleichenbacher's attack.
	InsecureRSA15 KeyTransport = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"
)

// Hash is a hash function of OAEP, by the name its identifiers end in.
type Hash string

// The hash functions.
const (
	SHA1   Hash = "sha1" // fine in OAEP, which doesn't need it to resist collisions
	SHA256 Hash = "sha256"
	SHA384 Hash = "sha384"
	SHA512 Hash = "sha512"
)

func (h Hash) function() crypto.Hash {
	return map[Hash]crypto.Hash{SHA1: crypto.SHA1, SHA256: crypto.SHA256, SHA384: crypto.SHA384, SHA512: crypto.SHA512}[h]
}

// digestURI is the DigestMethod of OAEP.
func (h Hash) digestURI() string {
	return map[Hash]string{
		SHA1: dsig.Namespace + "sha1", SHA256: nsXEnc + "sha256",
		SHA384: "http://www.w3.org/2001/04/xmldsig-more#sha384", SHA512: nsXEnc + "sha512",
	}[h]
}
