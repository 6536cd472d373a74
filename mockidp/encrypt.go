package mockidp

import (
	"cmp"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"io"
	"math/big"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	nsXEnc   = "http://www.w3.org/2001/04/xmlenc#"
	nsXEnc11 = "http://www.w3.org/2009/xmlenc11#"
)

// Encryption describes how an app's assertions are encrypted. This package implements encryption itself, so that
// Meridian's decryption is tested against an independent implementation of the standard.
type Encryption struct {
	// Method encrypts the assertion. Zero: AES256GCM.
	Method EncryptionMethod
	// KeyTransport encrypts the key. Zero: RSAOAEPMGF1P.
	KeyTransport KeyTransport
	// Digest is OAEP's hash. Zero: SHA1, the default of XML Encryption.
	Digest Hash
	// MGF is the hash of OAEP's mask function, for RSAOAEP only. Zero: SHA1.
	MGF Hash
	// KeyBeside puts the EncryptedKey beside the EncryptedData instead of into its KeyInfo (SAML Core 2.2.4 allows both;
	// Shibboleth does this).
	KeyBeside bool
}

func (e Encryption) withDefaults() Encryption {
	e.Method, e.KeyTransport = cmp.Or(e.Method, AES256GCM), cmp.Or(e.KeyTransport, RSAOAEPMGF1P)
	if e.KeyTransport != InsecureRSA15 {
		e.Digest = cmp.Or(e.Digest, SHA1)
	}
	if e.KeyTransport == RSAOAEP {
		e.MGF = cmp.Or(e.MGF, SHA1)
	}
	return e
}

func (e Encryption) check() *Error {
	switch {
	case keySizes[e.Method] == 0:
		return badConfig("unsupported Encryption.Method %s", quote(string(e.Method)))
	case e.KeyTransport != RSAOAEPMGF1P && e.KeyTransport != RSAOAEP && e.KeyTransport != InsecureRSA15:
		return badConfig("unsupported Encryption.KeyTransport %s", quote(string(e.KeyTransport)))
	case e.KeyTransport != InsecureRSA15 && hashes[e.Digest].Hash == 0:
		return badConfig("unsupported Encryption.Digest %s", quote(string(e.Digest)))
	case e.KeyTransport == RSAOAEP && hashes[e.MGF].Hash == 0:
		return badConfig("unsupported Encryption.MGF %s", quote(string(e.MGF)))
	case e.KeyTransport != RSAOAEP && e.MGF != "":
		return badConfig("Encryption.MGF is for RSAOAEP only")
	case e.KeyTransport == InsecureRSA15 && e.Digest != "":
		return badConfig("Encryption.Digest is for OAEP only")
	}
	return nil
}

// encrypted removes an element from its parent and returns what stands for it: an EncryptedAssertion or an EncryptedID
// (SAML Core 2.2.4, 2.3.4).
func (e Encryption) encrypted(
	el *etree.Element, name string, to *rsa.PublicKey, random io.Reader) (*etree.Element, error) {
	plain, err := canonical(etree.NewDocumentWithRoot(el)).WriteToBytes()
	if err != nil {
		return nil, err
	}
	key := make([]byte, keySizes[e.Method])
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, err
	}
	data, err := e.seal(plain, key, random)
	if err != nil {
		return nil, err
	}
	sealedKey, err := e.sealKey(key, to, random)
	if err != nil {
		return nil, err
	}
	doc, err := newDocument("encrypted", struct {
		Encryption
		Name, DigestURI, Data, Key string
	}{
		e, name, hashes[e.Digest].uri, base64.StdEncoding.EncodeToString(data),
		base64.StdEncoding.EncodeToString(sealedKey),
	})
	if err != nil {
		return nil, err
	}
	return doc.Root(), nil
}

// seal encrypts with the block cipher: the IV, then what XML Encryption 1.1, 5.2 puts after it.
func (e Encryption) seal(plain, key []byte, random io.Reader) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if !e.Method.cbc() {
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		iv := make([]byte, gcm.NonceSize())
		if _, err := io.ReadFull(random, iv); err != nil {
			return nil, err
		}
		return gcm.Seal(iv, iv, plain, nil), nil
	}
	// The last byte of the padding is its length, the others are arbitrary.
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	out := make([]byte, aes.BlockSize+len(plain)+pad)
	if _, err := io.ReadFull(random, out[:aes.BlockSize]); err != nil {
		return nil, err
	}
	text := out[aes.BlockSize:]
	copy(text, plain)
	text[len(text)-1] = byte(pad)
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(text, text)
	return out, nil
}

// sealKey encrypts the key (RFC 8017, 7.1.1 and 7.2.1). PKCS #1 v1.5 is written out, because that of crypto/rsa
// ignores its source of randomness and so isn't repeatable.
func (e Encryption) sealKey(key []byte, to *rsa.PublicKey, random io.Reader) ([]byte, error) {
	if e.KeyTransport != InsecureRSA15 {
		options := &rsa.OAEPOptions{Hash: hashes[e.Digest].Hash, MGFHash: hashes[cmp.Or(e.MGF, SHA1)].Hash}
		return rsa.EncryptOAEPWithOptions(random, to, key, options)
	}
	if len(key) > to.Size()-11 {
		return nil, rsa.ErrMessageTooLong
	}
	em := make([]byte, to.Size())
	em[1] = 2
	padding := em[2 : len(em)-len(key)-1]
	for i := range padding {
		for padding[i] == 0 {
			if _, err := io.ReadFull(random, padding[i:i+1]); err != nil {
				return nil, err
			}
		}
	}
	copy(em[len(em)-len(key):], key)
	c := new(big.Int).Exp(new(big.Int).SetBytes(em), big.NewInt(int64(to.E)), to.N)
	return c.FillBytes(em), nil
}

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

	// InsecureRSASHA1 is Okta's RSA_SHA1, for testing that a service provider refuses it: SHA-1 signatures can be forged.
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

// The encryption methods. Service providers should refuse CBC where nothing else protects the message: padding oracles
// reveal its plaintext.
const (
	AES128GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES192GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes192-gcm"
	AES256GCM EncryptionMethod = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES192CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes192-cbc"
	AES256CBC EncryptionMethod = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
)

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
	// InsecureRSA15 is PKCS #1 v1.5, for testing that a service provider refuses it: Bleichenbacher's attack decrypts it.
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
