package saml_test

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/beevik/etree"
)

const (
	xenc    = "http://www.w3.org/2001/04/xmlenc#"
	gcm256  = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	cbc256  = xenc + "aes256-cbc"
	mgf1p   = xenc + "rsa-oaep-mgf1p"
	rsa15   = xenc + "rsa-1_5"
	tripled = xenc + "tripledes-cbc"
)

// sealing is how a test encrypts; zero fields take usual values. Every variant
// of the algorithms is tested where they are read, in internal/xmlenc.
type sealing struct {
	data, transport string                      // gcm256, mgf1p
	to              []*rsa.PrivateKey           // the other key
	element         string                      // EncryptedAssertion
	plain           func(string) string         // changes what is encrypted
	pad             byte                        // instead of the right padding byte, for CBC
	change          func(value []byte) []byte   // changes what was encrypted
	after           func(element string) string // changes the XML
}

func (s sealing) seal(plain string) string {
	if s.data == "" {
		s.data = gcm256
	}
	if s.transport == "" {
		s.transport = mgf1p
	}
	if s.to == nil {
		s.to = []*rsa.PrivateKey{keys().other}
	}
	if s.element == "" {
		s.element = "EncryptedAssertion"
	}
	if s.plain != nil {
		plain = s.plain(plain)
	}
	content := make([]byte, 32)
	_, _ = rand.Read(content)
	var wrapped strings.Builder
	for _, key := range s.to {
		value, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &key.PublicKey, content, nil)
		if s.transport == rsa15 {
			//lint:ignore SA1019 to see that it is refused
			value, err = rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, content)
		}
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(
			&wrapped,
			`<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="%s"/><xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>`,
			s.transport,
			base64.StdEncoding.EncodeToString(value),
		)
	}
	value := s.encrypt(content, []byte(plain))
	if s.change != nil {
		value = s.change(value)
	}
	out := fmt.Sprintf(
		`<saml:%s xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="%s" Type="%sElement"><xenc:EncryptionMethod Algorithm="%s"/>`+
			`<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">%s</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:%s>`,
		s.element,
		xenc,
		xenc,
		s.data,
		wrapped.String(),
		base64.StdEncoding.EncodeToString(value),
		s.element,
	)
	if s.after != nil {
		out = s.after(out)
	}
	return out
}

func (s sealing) encrypt(content, plain []byte) []byte {
	c, err := aes.NewCipher(content)
	if err != nil {
		panic(err)
	}
	if strings.HasSuffix(s.data, "gcm") {
		aead, err := cipher.NewGCM(c)
		if err != nil {
			panic(err)
		}
		nonce := make([]byte, 12)
		_, _ = rand.Read(nonce)
		return append(nonce, aead.Seal(nil, nonce, plain, nil)...)
	}
	n := 16 - len(plain)%16
	plain = append(append(plain, make([]byte, n-1)...), byte(n))
	if s.pad != 0 {
		plain[len(plain)-1] = s.pad
	}
	iv := make([]byte, 16)
	_, _ = rand.Read(iv)
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(c, iv).CryptBlocks(out, plain)
	return append(iv, out...)
}

func parseXML(text string) *etree.Element {
	d := etree.NewDocument()
	if err := d.ReadFromString(text); err != nil {
		panic(err)
	}
	return d.Root()
}

func writeXML(el *etree.Element) string {
	d := etree.NewDocument()
	d.WriteSettings.CanonicalText = true
	d.SetRoot(el.Copy())
	text, err := d.WriteToString()
	if err != nil {
		panic(err)
	}
	return text
}

// countingKey counts the operations of a private key.
type countingKey struct {
	*rsa.PrivateKey
	n atomic.Int64
}

func (c *countingKey) Decrypt(random io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	c.n.Add(1)
	return c.PrivateKey.Decrypt(random, msg, opts)
}
