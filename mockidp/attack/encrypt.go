package attack

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rsa"
	"strings"

	"github.com/beevik/etree"
)

const (
	nsXEnc   = "http://www.w3.org/2001/04/xmlenc#"
	nsXEnc11 = "http://www.w3.org/2009/xmlenc11#"

	aes256GCM = nsXEnc11 + "aes256-gcm"
	oaepMGF1P = nsXEnc + "rsa-oaep-mgf1p"
	rsa15     = nsXEnc + "rsa-1_5"
)

// keySize returns the size of a block cipher's key in bytes.
func keySize(block string) int {
	switch {
	case strings.Contains(block, "128"):
		return 16
	case strings.Contains(block, "192"), strings.Contains(block, "tripledes"):
		return 24
	}
	return 32
}

// encryption describes how an element is encrypted (XML Encryption 1.1).
type encryption struct {
	to        []*rsa.PublicKey // an EncryptedKey for each
	block     string           // EncryptionMethod of the data
	claim     string           // the false value of EncryptionMethod, if not empty
	transport string           // EncryptionMethod of the key
	// claimTransport is the false value of the key's EncryptionMethod.
	claimTransport string
	// digest and mgf are the parameters of OAEP. Empty: there is no such element,
	// which means SHA-1. They name the hashes that are used, unless useHash is set.
	digest, mgf string
	useHash     crypto.Hash
	label       *string // OAEPParams
	// padded makes the encoded message EM of RSA 1.5 (RFC 8017, 7.2.1). Nil:
	// the correct one.
	padded func(d *draft, size int, key []byte) []byte
	// cipherText changes the output of the block cipher. pad replaces the padding of
	// CBC.
	cipherText func([]byte) []byte
	pad        func(text []byte, block int) []byte
	detached   bool // EncryptedKey is beside EncryptedData, not in its KeyInfo
}

// encryptAssertion replaces the assertion with an EncryptedAssertion.
func (d *draft) encryptAssertion() {
	if d.encryption == nil || d.asrt.Parent() == nil {
		return
	}
	d.text = d.plaintext(d.asrt)
	d.run(inside)
	swap(d.asrt, d.encrypted("saml2:EncryptedAssertion", d.text, *d.encryption))
	d.run(sealed)
}

// encryptInPlace replaces an element with an EncryptedID or EncryptedAttribute.
func (d *draft) encryptInPlace(el *etree.Element, tag string) {
	el.CreateAttr("xmlns:saml2", nsAssertion)
	swap(el, d.sealedIn(tag, el))
}

// sealedIn returns an element in good encryption.
func (d *draft) sealedIn(tag string, el *etree.Element) *etree.Element {
	return d.encrypted("saml2:"+tag, d.plaintext(el), *d.goodEncryption())
}

// plaintext returns an element as the text that is encrypted.
func (d *draft) plaintext(el *etree.Element) string {
	return d.write(etree.NewDocumentWithRoot(el.Copy()))
}

// encrypted makes an element of EncryptedElementType (Core 2.2.4).
func (d *draft) encrypted(tag string, plain string, e encryption) *etree.Element {
	key := d.random(keySize(e.block))
	out := node(tag, "xmlns:saml2", nsAssertion)
	data := child(out, "xenc:EncryptedData", "xmlns:xenc", nsXEnc, "Type", nsXEnc+"Element")
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

// encryptBlock implements XML Encryption 5.2: GCM with its nonce before and its tag
// after the ciphertext, CBC with its IV before it and the padding of that standard.
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
	if strings.Contains(e.block, "tripledes") {
		block, err = des.NewTripleDESCipher(key)
	} else {
		block, err = aes.NewCipher(key)
	}
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(e.block, "-cbc") {
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

// goodPadding ends in its length. The rest of it is arbitrary.
func (d *draft) goodPadding(text []byte, block int) []byte {
	n := block - len(text)%block
	out := append(bytes.Clone(text), d.random(n)...)
	out[len(out)-1] = byte(n)
	return out
}

// encryptKey implements XML Encryption 5.5.
func (d *draft) encryptKey(to *rsa.PublicKey, key []byte, e encryption) []byte {
	if e.transport == rsa15 {
		pad := e.padded
		if pad == nil {
			pad = pkcs1Padding
		}
		return rsaPublic(to, pad(d, to.Size(), key))
	}
	hash := cmp.Or(e.useHash, hashOf(e.digest, crypto.SHA1))
	mgf := cmp.Or(e.useHash, hashOf(e.mgf, crypto.SHA1))
	if mgf == crypto.MD5 { // which no identifier of an MGF names
		mgf = crypto.SHA1
	}
	return rsaPublic(to, d.oaepPadding(to.Size(), key, hash, mgf, e.label))
}

// pkcs1Padding implements RFC 8017, 7.2.1.
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

// oaepPadding implements RFC 8017, 7.1.1. The standard library's is not repeatable.
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
