package peers_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"
)

// opened is a peer's plaintext before it encrypted to peerEncryptionKey, and the
// algorithms that it used, from the outside in. It shares no code with the
// decrypter under test.
func opened(t *testing.T, xml string) (doc *etree.Document, ciphers []string) {
	t.Helper()
	doc = etree.NewDocument()
	require.NoError(t, doc.ReadFromString(xml))
	for data := doc.FindElement("//EncryptedData"); data != nil; data = doc.FindElement("//EncryptedData") {
		name := data.FindElement("./EncryptionMethod").SelectAttrValue("Algorithm", "")
		wrapped := doc.FindElement("//EncryptedKey") // in the data, or beside it
		require.Equal(t, "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", wrapped.FindElement("./EncryptionMethod").SelectAttrValue("Algorithm", ""))
		content, err := rsa.DecryptOAEP(sha1.New(), nil, peerEncryptionKey().key, cipherValue(t, wrapped), nil)
		require.NoError(t, err)
		plain := etree.NewDocument()
		require.NoError(t, plain.ReadFromBytes(decipher(t, name, content, cipherValue(t, data))))
		parent := data.Parent()
		parent.Child = nil
		parent.AddChild(plain.Root())
		ciphers = append(ciphers, name)
	}
	return doc, ciphers
}

// decipher decrypts (XML Encryption 1.1, 5.2).
func decipher(t *testing.T, name string, key, value []byte) []byte {
	t.Helper()
	newCipher := aes.NewCipher
	if name == tripleDES {
		newCipher = des.NewTripleDESCipher
	}
	block, err := newCipher(key)
	require.NoError(t, err)
	if name == aes256GCM {
		gcm, err := cipher.NewGCM(block)
		require.NoError(t, err)
		plain, err := gcm.Open(nil, value[:gcm.NonceSize()], value[gcm.NonceSize():], nil)
		require.NoError(t, err)
		return plain
	}
	iv, plain := value[:block.BlockSize()], value[block.BlockSize():]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, plain)
	return plain[:len(plain)-int(plain[len(plain)-1])]
}

func cipherValue(t *testing.T, in *etree.Element) []byte {
	t.Helper()
	text := in.FindElement("./CipherData/CipherValue").Text()
	value, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	require.NoError(t, err)
	return value
}

// tamperedCiphertexts returns copies of a message with one bit changed: of the encrypted data at
// its beginning, in its middle and at its end, and of the wrapped key.
func tamperedCiphertexts(t *testing.T, xml string) []string {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(xml))
	data, key := doc.FindElement("//EncryptedData"), doc.FindElement("//EncryptedKey")
	flipped := func(in *etree.Element, at int) string {
		text, value := in.FindElement("./CipherData/CipherValue").Text(), cipherValue(t, in)
		value[at] ^= 1
		require.Equal(t, 1, strings.Count(xml, text))
		return strings.Replace(xml, text, base64.StdEncoding.EncodeToString(value), 1)
	}
	n := len(cipherValue(t, data))
	return []string{flipped(data, 0), flipped(data, n/2), flipped(data, n-1), flipped(key, 100)}
}
