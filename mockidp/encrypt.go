package mockidp

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
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

// Encryption describes how an app's assertions are encrypted. The encrypter is this package's own, and not a library's,
// so that Meridian's decrypter is tested against an independent reading of the standard.
type Encryption struct {
	// Method encrypts the assertion. Zero: AES256GCM.
	Method EncryptionMethod
	// KeyTransport encrypts the key. Zero: RSAOAEPMGF1P.
	KeyTransport KeyTransport
	// Digest is OAEP's hash. Zero: SHA1, the default of XML Encryption.
	Digest Hash
	// MGF is the hash of OAEP's mask function, for RSAOAEP only. Zero: SHA1.
	MGF Hash
	// KeyBeside puts the EncryptedKey beside the EncryptedData instead of into its KeyInfo (SAML Core 2.2.4 allows
	// both; Shibboleth does this).
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

// encrypted returns the EncryptedAssertion (SAML Core 2.3.4) of an assertion, for the owner of a key.
func (e Encryption) encrypted(assertion *etree.Element, to *rsa.PublicKey, random io.Reader) (*etree.Element, error) {
	plain, err := canonical(etree.NewDocumentWithRoot(assertion)).WriteToBytes()
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

	out := etree.NewElement("saml2:EncryptedAssertion")
	out.CreateAttr("xmlns:saml2", nsAssertion)
	ed := add(out, "xenc:EncryptedData", "xmlns:xenc", nsXEnc, "Type", nsXEnc+"Element")
	add(ed, "xenc:EncryptionMethod", "Algorithm", string(e.Method))
	holder := out
	if !e.KeyBeside {
		holder = add(ed, "ds:KeyInfo", "xmlns:ds", dsig.Namespace)
	}
	cipherData(ed, data)
	ek := add(holder, "xenc:EncryptedKey", "xmlns:xenc", nsXEnc)
	e.describeTransport(add(ek, "xenc:EncryptionMethod", "Algorithm", string(e.KeyTransport)))
	cipherData(ek, sealedKey)
	return out, nil
}

func cipherData(parent *etree.Element, data []byte) {
	add(add(parent, "xenc:CipherData"), "xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(data))
}

// describeTransport names the parameters of OAEP that aren't the defaults.
func (e Encryption) describeTransport(method *etree.Element) {
	if e.KeyTransport == InsecureRSA15 {
		return
	}
	if e.Digest != SHA1 {
		add(method, "ds:DigestMethod", "xmlns:ds", dsig.Namespace, "Algorithm", hashes[e.Digest].uri)
	}
	if e.KeyTransport == RSAOAEP && e.MGF != SHA1 {
		add(method, "xenc11:MGF", "xmlns:xenc11", nsXEnc11, "Algorithm", nsXEnc11+"mgf1"+string(e.MGF))
	}
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
