package mockidp

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// maxEncryptedKeys bounds the EncryptedKeys of an EncryptedID, because each costs an operation with each of the app's
// keys.
const maxEncryptedKeys = 4

var errNoKey = errors.New("no EncryptedKey is for a key of the app")

// decrypted returns the element in an EncryptedID (SAML Core 2.2.4) that was encrypted to an RSA key of an app. Decrypt
// only what a verified signature covers: with AES-CBC the errors tell about the plaintext.
func decrypted(el *etree.Element, keys []*signingKey) (*etree.Element, *Error) {
	out, err := decryptElement(el, keys)
	if err != nil {
		return nil, &Error{Reason: ReasonSubject, Detail: "the EncryptedID can't be decrypted", Err: err}
	}
	return out, nil
}

func decryptElement(el *etree.Element, keys []*signingKey) (*etree.Element, error) {
	data := childNamed(el, xml.Name{Space: nsXEnc, Local: "EncryptedData"})
	if data == nil {
		return nil, errors.New("no EncryptedData")
	}
	method := EncryptionMethod(algorithmOf(data))
	sealed, err := cipherValue(data)
	if err != nil {
		return nil, err
	}
	key, err := contentKey(el, data, keySizes[method], keys)
	if err != nil {
		return nil, err
	}
	plain, err := method.open(sealed, key)
	if err != nil {
		return nil, err
	}
	// The plaintext may use the prefixes that are in scope where it was (XML Encryption 4.2).
	scope := etree.NewElement("scope")
	declareInScope(data)
	for _, a := range data.Attr {
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			scope.CreateAttr(a.FullKey(), a.Value)
		}
	}
	scope.SetText("|")
	around, err := canonical(etree.NewDocumentWithRoot(scope)).WriteToString()
	if err != nil {
		return nil, err
	}
	at := strings.LastIndex(around, "|") // a namespace can have that, too
	root, perr := parseRequestXML([]byte(around[:at] + string(plain) + around[at+1:]))
	if perr != nil {
		return nil, perr
	}
	if inside := root.ChildElements(); len(inside) == 1 {
		return inside[0], nil
	}
	return nil, errors.New("the plaintext is not one element")
}

// contentKey decrypts the first EncryptedKey that is for one of the keys. It is in the KeyInfo of the EncryptedData, or
// beside that.
func contentKey(el, data *etree.Element, size int, keys []*signingKey) ([]byte, error) {
	if size == 0 {
		return nil, errors.New("unsupported EncryptionMethod " + quote(algorithmOf(data)))
	}
	named := xml.Name{Space: nsXEnc, Local: "EncryptedKey"}
	all := el.ChildElements()
	if info := childNamed(data, xml.Name{Space: nsSignature, Local: "KeyInfo"}); info != nil {
		all = append(all, info.ChildElements()...)
	}
	all = slices.DeleteFunc(all, func(k *etree.Element) bool { return nameOf(k) != named })
	if len(all) > maxEncryptedKeys {
		return nil, errors.New("too many EncryptedKeys")
	}
	for _, k := range all {
		options, err := keyTransportOf(k)
		if err != nil {
			return nil, err
		}
		sealed, err := cipherValue(k)
		if err != nil {
			return nil, err
		}
		for _, own := range keys {
			d, can := own.own.(crypto.Decrypter)
			if _, isRSA := own.own.Public().(*rsa.PublicKey); !can || !isRSA {
				continue
			}
			if out, err := d.Decrypt(rand.Reader, sealed, options); err == nil && len(out) == size {
				return out, nil
			}
		}
	}
	return nil, errNoKey
}

// keyTransportOf returns how an EncryptedKey is encrypted (XML Encryption 1.1, 5.5).
func keyTransportOf(k *etree.Element) (crypto.DecrypterOpts, error) {
	method := childNamed(k, xml.Name{Space: nsXEnc, Local: "EncryptionMethod"})
	transport := KeyTransport(algorithmOf(k))
	if transport == InsecureRSA15 {
		//lint:ignore SA1019 a service provider under test may use it
		return &rsa.PKCS1v15DecryptOptions{}, nil
	}
	if transport != RSAOAEP && transport != RSAOAEPMGF1P {
		return nil, errors.New("unsupported key transport " + quote(string(transport)))
	}
	options := &rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.SHA1}
	if digest := childNamed(method, xml.Name{Space: nsSignature, Local: "DigestMethod"}); digest != nil {
		options.Hash = 0
		for _, h := range hashes {
			if h.uri == attributes(digest)["Algorithm"] {
				options.Hash = h.Hash
			}
		}
	}
	mgf := childNamed(method, xml.Name{Space: nsXEnc11, Local: "MGF"})
	if transport == RSAOAEP && mgf != nil {
		name, _ := strings.CutPrefix(attributes(mgf)["Algorithm"], nsXEnc11+"mgf1")
		options.MGFHash = hashes[Hash(name)].Hash
	}
	if options.Hash == 0 || options.MGFHash == 0 {
		return nil, errors.New("unsupported DigestMethod or MGF")
	}
	return options, nil
}

// open decrypts with the block cipher: the reverse of seal.
func (m EncryptionMethod) open(sealed, key []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if !m.cbc() {
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		if len(sealed) < gcm.NonceSize() {
			return nil, errors.New("the ciphertext is too short")
		}
		return gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
	}
	if len(sealed) < 2*aes.BlockSize || len(sealed)%aes.BlockSize != 0 {
		return nil, errors.New("the ciphertext is not whole blocks")
	}
	plain := make([]byte, len(sealed)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(plain, sealed[aes.BlockSize:])
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errors.New("invalid padding")
	}
	return plain[:len(plain)-padding], nil
}

// algorithmOf returns the Algorithm of an element's EncryptionMethod.
func algorithmOf(el *etree.Element) string {
	method := childNamed(el, xml.Name{Space: nsXEnc, Local: "EncryptionMethod"})
	if method == nil {
		return ""
	}
	return attributes(method)["Algorithm"]
}

func cipherValue(el *etree.Element) ([]byte, error) {
	data := childNamed(el, xml.Name{Space: nsXEnc, Local: "CipherData"})
	if data == nil {
		return nil, errors.New("no CipherData")
	}
	value := childNamed(data, xml.Name{Space: nsXEnc, Local: "CipherValue"})
	if value == nil {
		return nil, errors.New("no CipherValue")
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value.Text()), ""))
}
