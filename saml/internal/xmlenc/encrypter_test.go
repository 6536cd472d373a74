package xmlenc_test

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml/internal/xmlenc"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// The tests encrypt with what is in this file, written from the specifications
// and not from the decrypter.

const (
	xenc   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11 = "http://www.w3.org/2009/xmlenc11#"
	ds     = "http://www.w3.org/2000/09/xmldsig#"
	more   = "http://www.w3.org/2001/04/xmldsig-more#"

	gcm128, gcm192, gcm256 = xenc11 + "aes128-gcm", xenc11 + "aes192-gcm", xenc11 + "aes256-gcm"
	cbc128, cbc192, cbc256 = xenc + "aes128-cbc", xenc + "aes192-cbc", xenc + "aes256-cbc"
	mgf1p, oaep, rsa15     = xenc + "rsa-oaep-mgf1p", xenc11 + "rsa-oaep", xenc + "rsa-1_5"

	us = "https://sp.example/saml"
)

var keyBits = map[string]int{gcm128: 128, gcm192: 192, gcm256: 256, cbc128: 128, cbc192: 192, cbc256: 256}

var keys = sync.OnceValue(func() (k struct{ a, b, c *rsa.PrivateKey }) {
	k.a, k.b, k.c = fixedKey(), testkit.RSAKey("b"), testkit.RSAKey("c")
	return k
})

// fixedKey is the same in every process: what was encrypted to it can be kept
// as a seed, and be decrypted by other workers of a fuzz target.
func fixedKey() *rsa.PrivateKey {
	return testkit.ReadKeys("../../../testdata/keys")["decryption.pem"].(*rsa.PrivateKey)
}

// message describes an encrypted element; zero fields take usual values.
type message struct {
	data      string // gcm256
	transport string // mgf1p
	digest    string // identifier; none
	mgf       string // identifier; none
	label     []byte
	plain     string // good
	content   []byte // the content key
	to        []envelope
	detached  bool   // EncryptedKeys beside EncryptedData
	retrieval string // URI of a RetrievalMethod in KeyInfo

	// change alters what was encrypted: the data, the wrapped key.
	changeValue, changeKey func([]byte) []byte
	// pad replaces the padding, for CBC; it returns whole blocks.
	pad func([]byte) []byte
}

// envelope is one EncryptedKey.
type envelope struct {
	key       *rsa.PrivateKey
	attrs     string
	transport string // the message's
}

const good = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a">text</saml:Assertion>`

func (m message) String() string {
	or := func(s *string, zero string) {
		if *s == "" {
			*s = zero
		}
	}
	or(&m.data, gcm256)
	or(&m.transport, mgf1p)
	or(&m.plain, good)
	if m.content == nil {
		m.content = random(keyBits[m.data] / 8)
	}
	if m.to == nil {
		m.to = []envelope{{key: keys().a}}
	}
	var wrapped strings.Builder
	for _, e := range m.to {
		or(&e.transport, m.transport)
		fmt.Fprintf(&wrapped, `<xenc:EncryptedKey %s><xenc:EncryptionMethod Algorithm="%s">%s</xenc:EncryptionMethod>`+
			`<ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>`,
			e.attrs, e.transport, m.parameters(), encode(changed(m.wrap(e), m.changeKey)))
	}
	keyInfo, beside := "", ""
	switch {
	case m.retrieval != "":
		keyInfo, beside = fmt.Sprintf(
			`<ds:KeyInfo><ds:RetrievalMethod Type="%sEncryptedKey" URI="%s"/></ds:KeyInfo>`,
			xenc,
			m.retrieval,
		), wrapped.String()
	case m.detached:
		beside = wrapped.String()
	default:
		keyInfo = `<ds:KeyInfo>` + wrapped.String() + `</ds:KeyInfo>`
	}
	return fmt.Sprintf(
		`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xenc="%s" xmlns:ds="%s" xmlns:xenc11="%s">`+
			`<xenc:EncryptedData Type="%sElement"><xenc:EncryptionMethod Algorithm="%s"/>%s`+
			`<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>%s</saml:EncryptedAssertion>`,
		xenc,
		ds,
		xenc11,
		xenc,
		m.data,
		keyInfo,
		encode(changed(m.seal(), m.changeValue)),
		beside,
	)
}

func (m message) parameters() string {
	var b strings.Builder
	if m.label != nil {
		fmt.Fprintf(&b, `<xenc:OAEPparams>%s</xenc:OAEPparams>`, encode(m.label))
	}
	if m.digest != "" {
		fmt.Fprintf(&b, `<ds:DigestMethod Algorithm="%s"/>`, m.digest)
	}
	if m.mgf != "" {
		fmt.Fprintf(&b, `<xenc11:MGF Algorithm="%s"/>`, m.mgf)
	}
	return b.String()
}

// seal encrypts the plaintext (XML Encryption 1.1, 5.2).
func (m message) seal() []byte {
	c, err := aes.NewCipher(m.content)
	if err != nil {
		panic(err)
	}
	if !strings.HasSuffix(m.data, "cbc") {
		aead, err := cipher.NewGCM(c)
		if err != nil {
			panic(err)
		}
		nonce := random(12)
		return append(nonce, aead.Seal(nil, nonce, []byte(m.plain), nil)...)
	}
	plain := []byte(m.plain)
	if m.pad != nil {
		plain = m.pad(plain)
	} else {
		n := 16 - len(plain)%16
		plain = append(append(plain, random(n-1)...), byte(n))
	}
	iv, out := random(16), make([]byte, len(plain))
	cipher.NewCBCEncrypter(c, iv).CryptBlocks(out, plain)
	return append(iv, out...)
}

var digestOf = map[string]crypto.Hash{
	"": crypto.SHA1, ds + "sha1": crypto.SHA1, xenc + "sha256": crypto.SHA256, xenc + "sha384": crypto.SHA384,
	more + "sha384": crypto.SHA384, xenc + "sha512": crypto.SHA512,
	xenc11 + "mgf1sha1": crypto.SHA1, xenc11 + "mgf1sha256": crypto.SHA256, xenc11 + "mgf1sha384": crypto.SHA384,
	xenc11 + "mgf1sha512": crypto.SHA512,
}

func (m message) wrap(e envelope) []byte {
	public := &e.key.PublicKey
	if e.transport == rsa15 {
		// RFC 8017, 7.2.1.
		em := append([]byte{0, 2}, nonZero(public.Size()-3-len(m.content))...)
		return power(public, append(append(em, 0), m.content...))
	}
	return wrapOAEP(public, digestOf[m.digest], digestOf[m.mgf], m.label, m.content)
}

// wrapOAEP is RFC 8017, 7.1.1, with a hash of its own for the mask.
func wrapOAEP(public *rsa.PublicKey, hash, mask crypto.Hash, label, content []byte) []byte {
	h := hash.New()
	h.Write(label)
	db := append(h.Sum(nil), make([]byte, public.Size()-len(content)-2*hash.Size()-2)...)
	db = append(append(db, 1), content...)
	seed := random(hash.Size())
	xor(db, mgf1(mask, seed, len(db)))
	xor(seed, mgf1(mask, db, len(seed)))
	return power(public, append(append([]byte{0}, seed...), db...))
}

func mgf1(hash crypto.Hash, seed []byte, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		h := hash.New()
		h.Write(seed)
		h.Write(binary.BigEndian.AppendUint32(nil, i))
		out = h.Sum(out)
	}
	return out[:n]
}

func xor(to, by []byte) {
	for i := range to {
		to[i] ^= by[i]
	}
}

func power(public *rsa.PublicKey, em []byte) []byte {
	c := new(big.Int).Exp(new(big.Int).SetBytes(em), big.NewInt(int64(public.E)), public.N)
	return c.FillBytes(make([]byte, public.Size()))
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func nonZero(n int) []byte {
	b := random(n)
	for i := range b {
		b[i] |= 1
	}
	return b
}

func changed(b []byte, change func([]byte) []byte) []byte {
	if change == nil {
		return b
	}
	return change(b)
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// counter counts what a private key is asked.
type counter struct {
	*rsa.PrivateKey
	n atomic.Int64
}

func (c *counter) Decrypt(random io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	c.n.Add(1)
	return c.PrivateKey.Decrypt(random, msg, opts)
}

var limits = xmltree.Limits{Bytes: 1 << 20, Depth: 64, Nodes: 10_000, Attributes: 64, Namespaces: 32, Total: 10_000}

// loose is a policy that accepts everything that can be accepted.
var loose = xmlenc.Policy{Recipient: us, AllowUnauthenticatedCBC: true, AllowRSA15: true}

// decrypt does all of it, as package saml does. An error comes without a text.
func decrypt(doc string, policy xmlenc.Policy, private ...crypto.Decrypter) (string, error) {
	tree, err := xmltree.Parse(doc, limits)
	if err != nil {
		return "", err
	}
	sealed, err := xmlenc.Read(tree.Root(), policy)
	if err != nil {
		return "", err
	}
	return xmlenc.Open(sealed, xmlenc.NewKeys(private, rand.Reader, 64), func(plain []byte) (string, error) {
		_, err := xmltree.ParseFragment(plain, limits, tree.Root())
		return string(plain), err
	})
}
