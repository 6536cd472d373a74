package attack

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rsa"

	"github.com/beevik/etree"
)

const (
	nsXEnc   = "http://www.w3.org/2001/04/xmlenc#"
	nsXEnc11 = "http://www.w3.org/2009/xmlenc11#"

	aes128GCM    = nsXEnc11 + "aes128-gcm"
	aes192GCM    = nsXEnc11 + "aes192-gcm"
	aes256GCM    = nsXEnc11 + "aes256-gcm"
	aes128CBC    = nsXEnc + "aes128-cbc"
	aes192CBC    = nsXEnc + "aes192-cbc"
	aes256CBC    = nsXEnc + "aes256-cbc"
	tripleDESCBC = nsXEnc + "tripledes-cbc"

	oaepMGF1P = nsXEnc + "rsa-oaep-mgf1p"
	oaep11    = nsXEnc11 + "rsa-oaep"
	rsa15     = nsXEnc + "rsa-1_5"
	mgf1URI   = nsXEnc11 + "mgf1" // and the name of the hash

	typeElement = nsXEnc + "Element"
)

// keySizes is in bytes, by block cipher. For an unknown one it is 32.
var keySizes = map[string]int{
	aes128GCM: 16, aes192GCM: 24, aes256GCM: 32, aes128CBC: 16, aes192CBC: 24, aes256CBC: 32, tripleDESCBC: 24,
}

// encryption says how something is encrypted (XML Encryption 1.1).
type encryption struct {
	to        []*rsa.PublicKey // an EncryptedKey for each
	block     string           // EncryptionMethod of the data
	claim     string           // what EncryptionMethod says instead, if not empty
	transport string           // EncryptionMethod of the key
	// digest and mgf are the parameters of OAEP: identifiers, or empty where
	// the element is left out, which means SHA-1. The hashes that are in fact
	// used are the ones named, unless useHash is set.
	digest, mgf string
	useHash     crypto.Hash
	label       *string // OAEPParams
	// padded makes the EM of RSA 1.5 (RFC 8017, 7.2.1); nil: the right one.
	padded func(d *draft, size int, key []byte) []byte
	// claimTransport is what the key's EncryptionMethod says instead.
	claimTransport string
	// cipherText changes what comes out of the block cipher; pad replaces the
	// padding of CBC.
	cipherText func([]byte) []byte
	pad        func(text []byte, block int) []byte
	detached   bool // EncryptedKey beside EncryptedData, not in its KeyInfo
}

// encryptAssertion puts an EncryptedAssertion in the assertion's place.
func (d *draft) encryptAssertion() {
	if d.encryption == nil || d.asrt.Parent() == nil {
		return
	}
	d.text = d.plaintext(d.asrt)
	d.run(inside)
	swap(d.asrt, d.encrypted("saml2:EncryptedAssertion", d.text, *d.encryption))
	d.run(sealed)
}

// encryptInPlace puts an EncryptedID or EncryptedAttribute in an element's place.
func (d *draft) encryptInPlace(el *etree.Element, tag string) {
	el.CreateAttr("xmlns:saml2", nsAssertion)
	swap(el, d.sealedIn(tag, el))
}

// sealedIn is an element in good encryption.
func (d *draft) sealedIn(tag string, el *etree.Element) *etree.Element {
	return d.encrypted("saml2:"+tag, d.plaintext(el), *d.goodEncryption())
}

// plaintext is an element as the text that is encrypted.
func (d *draft) plaintext(el *etree.Element) string {
	out := etree.NewDocumentWithRoot(el.Copy())
	out.WriteSettings.CanonicalText, out.WriteSettings.CanonicalAttrVal = true, true
	plain, err := out.WriteToString()
	if err != nil {
		d.fail("writing the plaintext: %w", err)
	}
	return plain
}

// encrypted makes an element of EncryptedElementType (Core 2.2.4).
func (d *draft) encrypted(tag string, plain string, e encryption) *etree.Element {
	key := d.random(cmp.Or(keySizes[e.block], 32))
	out := node(tag, "xmlns:saml2", nsAssertion)
	data := child(out, "xenc:EncryptedData", "xmlns:xenc", nsXEnc, "Type", typeElement)
	algorithm(data, "xenc:EncryptionMethod", cmp.Or(e.claim, e.block))
	holder := out
	if !e.detached {
		holder = child(data, "ds:KeyInfo", "xmlns:ds", nsDSig)
	}
	for _, to := range e.to {
		d.encryptedKey(holder, to, key, e)
	}
	cipherValue(data, d.encryptBlock(key, []byte(plain), e))
	return out
}

func (d *draft) encryptedKey(parent *etree.Element, to *rsa.PublicKey, key []byte, e encryption) {
	el := parent.CreateElement("xenc:EncryptedKey")
	if e.detached {
		el.CreateAttr("xmlns:xenc", nsXEnc)
	}
	method := algorithm(el, "xenc:EncryptionMethod", cmp.Or(e.claimTransport, e.transport))
	if e.label != nil {
		method.CreateElement("xenc:OAEPparams").SetText(encode([]byte(*e.label)))
	}
	if e.digest != "" {
		algorithm(method, "ds:DigestMethod", e.digest).CreateAttr("xmlns:ds", nsDSig)
	}
	if e.mgf != "" {
		algorithm(method, "xenc11:MGF", e.mgf).CreateAttr("xmlns:xenc11", nsXEnc11)
	}
	cipherValue(el, d.encryptKey(to, key, e))
}

func cipherValue(parent *etree.Element, value []byte) {
	parent.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(encode(value))
}

// encryptBlock is XML Encryption 5.2: GCM with its nonce before and its tag
// behind, CBC with its IV before and the padding of that standard.
func (d *draft) encryptBlock(key, plain []byte, e encryption) []byte {
	out, err := d.blockMode(key, plain, e)
	if err != nil {
		d.fail("encrypting: %w", err)
	}
	if e.cipherText != nil {
		out = e.cipherText(out)
	}
	return out
}

func (d *draft) blockMode(key, plain []byte, e encryption) ([]byte, error) {
	var block cipher.Block
	var err error
	if e.block == tripleDESCBC {
		block, err = des.NewTripleDESCipher(key)
	} else {
		block, err = aes.NewCipher(key)
	}
	if err != nil {
		return nil, err
	}
	switch e.block {
	case aes128CBC, aes192CBC, aes256CBC, tripleDESCBC:
		pad := e.pad
		if pad == nil {
			pad = d.goodPadding
		}
		iv := d.random(block.BlockSize())
		text := pad(plain, block.BlockSize())
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
		return append(iv, text...), nil
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	nonce := d.random(gcm.NonceSize())
	return gcm.Seal(nonce, nonce, plain, nil), nil
}

// goodPadding ends in its own length; the rest of it is arbitrary.
func (d *draft) goodPadding(text []byte, block int) []byte {
	n := block - len(text)%block
	out := append(bytes.Clone(text), d.random(n)...)
	out[len(out)-1] = byte(n)
	return out
}

// encryptKey is XML Encryption 5.5.
func (d *draft) encryptKey(to *rsa.PublicKey, key []byte, e encryption) []byte {
	if e.transport == rsa15 {
		pad := e.padded
		if pad == nil {
			pad = pkcs1Padding
		}
		return rsaPublic(to, pad(d, to.Size(), key))
	}
	hash := cmp.Or(e.useHash, digests[e.digest], crypto.SHA1)
	mgf := cmp.Or(e.useHash, mgfHashes[e.mgf], crypto.SHA1)
	return rsaPublic(to, d.oaepPadding(to.Size(), key, hash, mgf, e.label))
}

var mgfHashes = map[string]crypto.Hash{
	mgf1URI + "sha1": crypto.SHA1, mgf1URI + "sha256": crypto.SHA256,
	mgf1URI + "sha384": crypto.SHA384, mgf1URI + "sha512": crypto.SHA512,
}

// pkcs1Padding is RFC 8017, 7.2.1.
func pkcs1Padding(d *draft, size int, key []byte) []byte {
	em := append([]byte{0, 2}, d.nonZero(size-len(key)-3)...)
	return append(append(em, 0), key...)
}

func (d *draft) nonZero(n int) []byte {
	out := d.random(n)
	for i := range out {
		out[i] |= 1
	}
	return out
}

// oaepPadding is RFC 8017, 7.1.1. The standard library has it, but draws its
// randomness where it can't be repeated.
func (d *draft) oaepPadding(size int, key []byte, hash, mgf crypto.Hash, label *string) []byte {
	var l []byte
	if label != nil {
		l = []byte(*label)
	}
	seed := d.random(hash.Size())
	db := make([]byte, size-hash.Size()-1)
	copy(db, sum(hash, l))
	db[len(db)-len(key)-1] = 1
	copy(db[len(db)-len(key):], key)
	xor(db, mgf1(mgf, seed, len(db)))
	xor(seed, mgf1(mgf, db, len(seed)))
	return append(append([]byte{0}, seed...), db...)
}
