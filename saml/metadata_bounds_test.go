package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// keyDescriptors is the metadata of an identity provider with these KeyInfos.
func keyDescriptors(infos ...string) []byte {
	var all strings.Builder
	for _, info := range infos {
		all.WriteString(
			`<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + info +
				`</ds:KeyInfo></md:KeyDescriptor>`,
		)
	}
	return []byte(
		entityXML(
			"",
			`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`+all.String()+`</md:IDPSSODescriptor>`,
		),
	)
}

// rsaKeyValues are bare keys with different moduli.
func rsaKeyValues(count int) (infos []string, public []crypto.PublicKey) {
	for i := range count {
		n := new(big.Int).SetBit(big.NewInt(int64(2*i+1)), 2047, 1)
		infos = append(
			infos,
			`<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>`+base64.StdEncoding.EncodeToString(
				n.Bytes(),
			)+`</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>`,
		)
		public = append(public, &rsa.PublicKey{N: n, E: 65537})
	}
	return infos, public
}

// A signature costs an operation with each key, and each key is compared with
// those before it.
// Obligations: IIP-MD07.
func TestSigningKeysAreBounded(t *testing.T) {
	infos, public := rsaKeyValues(33)
	_, err := saml.ParseIdPMetadata(keyDescriptors(infos[:32]...))
	require.NoError(t, err)
	_, err = saml.ParseIdPMetadata(keyDescriptors(append(infos[:32:32], infos...)[:64]...))
	require.NoError(t, err, "equal keys count once")
	_, err = saml.ParseIdPMetadata(keyDescriptors(infos...))
	requireReason(t, saml.ReasonMetadata, err)
	require.ErrorContains(t, err, "more than 32")

	_, err = saml.NewIdP(saml.IdPConfig{EntityID: idpEntity, Keys: public[:32]})
	require.NoError(t, err)
	_, err = saml.NewIdP(saml.IdPConfig{EntityID: idpEntity, Keys: public})
	requireReason(t, saml.ReasonMetadata, err)
}

// Metadata without a usable key is refused at a cost in proportion to its size.
func TestManyUnusableKeysAreCheap(t *testing.T) {
	metadata := keyDescriptors(make([]string, 5_000)...)
	_, err := parseWithin(t, 40, metadata)
	requireReason(t, saml.ReasonMetadata, err)
	require.ErrorContains(t, err, "it has no usable key")
}

// A list, and white space that collapses, take memory in proportion to their
// length.
func TestLongListsAreCheap(t *testing.T) {
	infos, _ := rsaKeyValues(1)
	metadata := string(keyDescriptors(infos...))
	long := strings.Repeat("a ", 1_000_000)
	idp, err := parseWithin(t, 8, []byte(strings.Replace(metadata, `Enumeration="`, `Enumeration="`+long, 1)))
	require.NoError(t, err)
	require.Equal(t, idpEntity, idp.EntityID())
	_, err = parseWithin(t, 12, []byte(strings.Replace(metadata, `entityID="`, `entityID="`+long, 1)))
	requireReason(t, saml.ReasonMetadata, err)
}

// parseWithin wants memory of at most so many times the length of metadata to be
// allocated.
func parseWithin(t *testing.T, times int, metadata []byte) (*saml.IdP, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	idp, err := saml.ParseIdPMetadata(metadata)
	runtime.ReadMemStats(&after)
	t.Logf("%.1f times", float64(after.TotalAlloc-before.TotalAlloc)/float64(len(metadata)))
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(times*len(metadata)))
	return idp, err
}

// The signatures that are checked to find leaves are counted. Without a check
// no key of a chain is trusted; a single certificate needs none.
func TestIssuerChecksAreBounded(t *testing.T) {
	var apart [][]byte
	for range 16 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		apart = append(apart, issued(t, key.Public(), key))
	}
	s := signers()
	many := x509Data(apart...) // 240 checks
	chain := x509Data(issued(t, s.root.Public(), s.root), issued(t, s.leaf.Public(), s.root))
	single := x509Data(issued(t, s.apart.Public(), s.apart))

	idp, err := saml.ParseIdPMetadata(keyDescriptors(many, many, chain, single))
	require.NoError(t, err)
	require.Len(t, idp.Certificates(), 2)

	idp, err = saml.ParseIdPMetadata(keyDescriptors(many, many, many, chain, single))
	require.NoError(t, err)
	require.Len(t, idp.Certificates(), 1)
	require.Equal(t, s.apart.Public(), idp.Certificates()[0].PublicKey)
	require.Contains(t, strings.Join(idp.Warnings(), "\n"), "issuers were not looked for")
}

// A key whose signatures are costly to check is not recognised as an issuer's.
// So there are two keys, and none of them is trusted.
func TestExpensiveIssuerIsNotChecked(t *testing.T) {
	s := signers()
	usual := keys().idp
	requireKey(
		t,
		s.leaf.Public(),
		x509Data(issued(t, usual.Public(), usual), issued(t, s.leaf.Public(), usual)),
		"it belongs to a certification authority",
	)

	p, q := usual.Primes[0], usual.Primes[1]
	one := big.NewInt(1)
	totient := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	costly := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: usual.N, E: 1<<31 - 1}, Primes: usual.Primes}
	costly.D = new(big.Int).ModInverse(big.NewInt(int64(costly.E)), totient)
	costly.Precompute()
	requireKey(t, nil, x509Data(issued(t, costly.Public(), costly), issued(t, s.leaf.Public(), costly)), "2 keys")
}

// A comment in a bare key is refused: two readers could see two keys.
func TestCommentInBareKeyIsRefused(t *testing.T) {
	infos, _ := rsaKeyValues(1)
	_, err := saml.ParseIdPMetadata(keyDescriptors(strings.Replace(infos[0], "AQAB", "AQ<!-- -->AB", 1)))
	requireReason(t, saml.ReasonMetadata, err)
	require.ErrorContains(t, err, "comment in the text")
}
