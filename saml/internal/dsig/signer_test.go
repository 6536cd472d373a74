package dsig_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// The signer of these tests uses the canonicaliser under test. That is fine
// here, where what is signed goes to xmlsec1, or has its shape refused.

const (
	core      = "http://www.w3.org/2000/09/xmldsig#"
	more      = "http://www.w3.org/2001/04/xmldsig-more#"
	more2007  = "http://www.w3.org/2007/05/xmldsig-more#"
	enc       = "http://www.w3.org/2001/04/xmlenc#"
	exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"

	withComments = "WithComments" // behind exclusive
)

type signer struct {
	key      crypto.Signer
	method   string // SignatureMethod
	digest   string // DigestMethod
	list     string // PrefixList of the transform; "" for no InclusiveNamespaces
	infoList string // likewise, of the CanonicalizationMethod

	comments     string // "WithComments" for the transform to be that
	infoComments string // likewise, the CanonicalizationMethod

	value func(s signer, hash crypto.Hash, digest []byte) []byte
}

var hashes = map[string]crypto.Hash{
	core + "rsa-sha1": crypto.SHA1, core + "sha1": crypto.SHA1,
	more + "rsa-sha256": crypto.SHA256, more + "rsa-sha384": crypto.SHA384, more + "rsa-sha512": crypto.SHA512,
	more2007 + "sha256-rsa-MGF1": crypto.SHA256, more2007 + "sha384-rsa-MGF1": crypto.SHA384,
	more2007 + "sha512-rsa-MGF1": crypto.SHA512,
	more + "ecdsa-sha256":        crypto.SHA256, more + "ecdsa-sha384": crypto.SHA384,
	more + "ecdsa-sha512": crypto.SHA512,
	enc + "sha256":        crypto.SHA256, more + "sha384": crypto.SHA384, enc + "sha512": crypto.SHA512,
}

// here is where a document to be signed gets its Signature.
const here = "<here/>"

func listed(list string) string {
	if list == "" {
		return ""
	}
	return `<ec:InclusiveNamespaces xmlns:ec="` + exclusive + `" PrefixList="` + list + `"/>`
}

// template is the Signature without its values, for an element with this ID.
func (s signer) template(id string) string {
	return `<ds:Signature xmlns:ds="` + core + `"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="` + exclusive +
		s.infoComments + `">` + listed(
		s.infoList,
	) + `</ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="` + s.method + `"/><ds:Reference URI="#` + id +
		`"><ds:Transforms><ds:Transform Algorithm="` + core + `enveloped-signature"/>` +
		`<ds:Transform Algorithm="` + exclusive + s.comments + `">` + listed(
		s.list,
	) + `</ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="` + s.digest + `"/><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo>` +
		`<ds:SignatureValue></ds:SignatureValue></ds:Signature>`
}

// sign signs the element around here, whose ID is id.
func (s signer) sign(t testing.TB, doc, id string) string {
	t.Helper()
	digest := hashes[s.digest].New()
	digest.Write(dsig.Canonical(find(t, strings.Replace(doc, here, "", 1), func(n xmltree.Node) bool {
		got, _ := n.Attr("ID")
		return got == id
	}), xmltree.Node{}, s.list))
	doc = strings.Replace(doc, here, s.template(id), 1)
	doc = strings.Replace(
		doc,
		"<ds:DigestValue>",
		"<ds:DigestValue>"+base64.StdEncoding.EncodeToString(digest.Sum(nil)),
		1,
	)
	hash := hashes[s.method]
	info := hash.New()
	info.Write(
		dsig.Canonical(
			find(t, doc, func(n xmltree.Node) bool { return n.Is(xmltree.Signature, "SignedInfo") }),
			xmltree.Node{},
			s.infoList,
		),
	)
	value := s.value
	if value == nil {
		value = signer.usual
	}
	return strings.Replace(
		doc,
		"<ds:SignatureValue>",
		"<ds:SignatureValue>"+base64.StdEncoding.EncodeToString(value(s, hash, info.Sum(nil))),
		1,
	)
}

// usual returns the signature value of the method.
func (s signer) usual(hash crypto.Hash, digest []byte) []byte {
	switch key := s.key.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(s.method, more2007) {
			return pssValue(key, hash, digest, rsa.PSSSaltLengthEqualsHash)
		}
		value, err := rsa.SignPKCS1v15(rand.Reader, key, hash, digest)
		must(err)
		return value
	case *ecdsa.PrivateKey:
		r, v, err := ecdsa.Sign(rand.Reader, key, digest)
		must(err)
		width := (key.Curve.Params().N.BitLen() + 7) / 8
		out := make([]byte, 2*width)
		r.FillBytes(out[:width])
		v.FillBytes(out[width:])
		return out
	}
	panic("no such key")
}

func pssValue(key *rsa.PrivateKey, hash crypto.Hash, digest []byte, salt int) []byte {
	value, err := rsa.SignPSS(rand.Reader, key, hash, digest, &rsa.PSSOptions{SaltLength: salt})
	must(err)
	return value
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// find is the first element that fits.
func find(t testing.TB, doc string, fits func(xmltree.Node) bool) xmltree.Node {
	t.Helper()
	d, err := xmltree.Parse(doc, roomy)
	require.NoError(t, err, "%s", doc)
	var found xmltree.Node
	d.Root().Walk(func(n xmltree.Node) {
		if !found.OK() && fits(n) {
			found = n
		}
	})
	require.True(t, found.OK(), "%s", doc)
	return found
}

// verify reads and checks the Signature of a document.
func verify(t testing.TB, doc string, policy dsig.Policy, keys ...crypto.PublicKey) (dsig.Signed, error) {
	t.Helper()
	e, err := dsig.Read(find(t, doc, func(n xmltree.Node) bool { return n.Is(xmltree.Signature, "Signature") }), policy)
	if err != nil {
		return dsig.Signed{}, err
	}
	return e.Verify(keys, policy)
}

var strict = dsig.Policy{MinRSABits: 2048}

// testKeys are made once, but for two that are always the same: a fuzz worker
// is another process than the one that signs the seeds.
var testKeys = sync.OnceValue(func() (k struct {
	rsa, other, weak *rsa.PrivateKey
	ec               map[string]*ecdsa.PrivateKey
}) {
	for bits, p := range map[int]**rsa.PrivateKey{2048: &k.other, 1024: &k.weak} {
		var err error
		*p, err = rsa.GenerateKey(rand.Reader, bits)
		must(err)
	}
	k.rsa = keyFile("testdata/rsa.pem").(*rsa.PrivateKey)
	k.ec = map[string]*ecdsa.PrivateKey{}
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		must(err)
		k.ec[curve.Params().Name] = key
	}
	k.ec["P-256"] = keyFile("testdata/p256.pem").(*ecdsa.PrivateKey)
	return k
})

func keyFile(name string) any {
	text, err := os.ReadFile(name)
	must(err)
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(err)
	return key
}

// signers is every way to sign that is accepted.
func signers() []signer {
	var out []signer
	digests := []string{enc + "sha256", more + "sha384", enc + "sha512"}
	for i, method := range []string{"rsa-sha256", "rsa-sha384", "rsa-sha512"} {
		out = append(out, signer{key: testKeys().rsa, method: more + method, digest: digests[i]})
	}
	for i, method := range []string{"sha256-rsa-MGF1", "sha384-rsa-MGF1", "sha512-rsa-MGF1"} {
		out = append(out, signer{key: testKeys().rsa, method: more2007 + method, digest: digests[(i+1)%3]})
	}
	for i, method := range []string{"ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512"} {
		for _, curve := range []string{"P-256", "P-384", "P-521"} {
			out = append(out, signer{key: testKeys().ec[curve], method: more + method, digest: digests[i]})
		}
	}
	return out
}

// signable wraps what the generator makes in an element to sign, and puts that
// into a scope of its own.
func (g *generator) signable(id string) string {
	g.b.Reset()
	g.elements = 0
	scope := map[string]string{
		"":     g.of([]string{"", "urn:d"}),
		"xml":  "XML",
		"o":    "urn:o",
		"saml": "urn:oasis:names:tc:SAML:2.0:assertion",
		"a":    "urn:a",
	}
	g.element(scope, 2)
	return fmt.Sprintf(
		`<o:r xmlns:o="urn:o" xmlns="%s" xmlns:saml="%s" xmlns:a="urn:a" xmlns:b="urn:b"><saml:Assertion ID="%s" xmlns:saml="%[2]s">%[4]s%[5]s</saml:Assertion></o:r>`,
		scope[""],
		scope["saml"],
		id,
		here,
		g.b.String(),
	)
}

func concat(b ...[]byte) []byte { return bytes.Join(b, nil) }
