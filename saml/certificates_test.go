package saml_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// A certificate in metadata only carries a key: it may be expired or not valid yet, valid
// for a century, for another purpose, and signed by any algorithm.
// Obligations: IIP-MD12.
func TestCertificatesOnlyCarryKeys(t *testing.T) {
	key := keys().idp
	made := func(algorithm x509.SignatureAlgorithm, from, to time.Time) []byte {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: from, NotAfter: to,
			SignatureAlgorithm: algorithm, KeyUsage: x509.KeyUsageKeyAgreement, BasicConstraintsValid: true,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		return der
	}
	const sha256RSA, md5RSA = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"
	ours := made(x509.SHA256WithRSA, now.Add(-time.Hour), now.Add(time.Hour))
	require.Equal(t, 2, strings.Count(string(ours), sha256RSA))
	md5 := strings.ReplaceAll(string(ours), sha256RSA, md5RSA)
	for name, der := range map[string][]byte{
		"expired":       made(x509.SHA256WithRSA, now.Add(-2*time.Hour), now.Add(-time.Hour)),
		"not valid yet": made(x509.SHA256WithRSA, now.Add(time.Hour), now.Add(2*time.Hour)),
		"a century":     made(x509.SHA256WithRSA, now.Add(-time.Hour), now.AddDate(100, 0, 0)),
		"SHA-1":         made(x509.SHA1WithRSA, now.Add(-time.Hour), now.Add(time.Hour)),
		"SHA-512":       made(x509.SHA512WithRSA, now.Add(-time.Hour), now.Add(time.Hour)),
		"MD5":           []byte(md5),
	} {
		t.Run(name, func(t *testing.T) {
			metadata := idpMetadata(t, "", "other signing", "")
			const open, end = "<ds:X509Certificate>", "</ds:X509Certificate>"
			from, to := strings.LastIndex(metadata, open)+len(open), strings.LastIndex(metadata, end)
			metadata = metadata[:from] + base64.StdEncoding.EncodeToString(der) + metadata[to:]
			idp, err := saml.ParseIdPMetadata([]byte(metadata))
			require.NoError(t, err)
			_, err = newSP(t, func(c *saml.Config) { c.IdP = idp }).Verify(doc{}.base64(t), unsolicited)
			require.NoError(t, err)
		})
	}
}
