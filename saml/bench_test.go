package saml_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// attributesOf writes attributes as Okta does: every value declares xs and
// xsi for itself.
func attributesOf(n, values int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(
			&b,
			`<saml:Attribute Name="attribute%d" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified">`,
			i,
		)
		for j := range values {
			fmt.Fprintf(
				&b,
				`<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">value %d of it</saml:AttributeValue>`,
				j,
			)
		}
		b.WriteString(`</saml:Attribute>`)
	}
	return b.String()
}

type benchDoc struct {
	name string
	doc  doc
	sigs int
}

func benchDocs() []benchDoc {
	return []benchDoc{
		{"okta8", doc{Attributes: attributesOf(8, 1)}, 1},
		{"attrs100", doc{Attributes: attributesOf(100, 1)}, 1},
		{"groups1000", doc{Attributes: attributesOf(1, 1000)}, 1},
		{"groups10000", doc{Attributes: attributesOf(1, 10000)}, 1},
		{"both", doc{Attributes: attributesOf(8, 1), SignResponse: true}, 2},
		{"encrypted", doc{Attributes: attributesOf(8, 1), Encrypt: sealing{}.seal}, 1},
	}
}

// BenchmarkVerify compares, over the same bytes: Verify; Floor, the least work of
// any implementation (base64, SHA-256 of the bytes, the public-key operations, and
// the private-key operation where it is encrypted); and peers. groups10000 shows
// that the cost is linear.
func BenchmarkVerify(b *testing.B) {
	sp := newSP(b, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} })
	for _, d := range benchDocs() {
		raw := d.doc.base64(b)
		b.Run("Verify/"+d.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if _, err := sp.Verify(raw, unsolicited); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("Floor/"+d.name, func(b *testing.B) { measure(b, floor(b, raw, d.sigs, d.doc.Encrypt != nil)) })
		b.Run("Crewjam/"+d.name, func(b *testing.B) { measure(b, byCrewjam(b, raw)) })
		b.Run("Goxmldsig/"+d.name, func(b *testing.B) { measure(b, byGoxmldsig(b, raw)) })
	}
}

// BenchmarkVerifyArtifactResponse compares a response by artifact, signed where a posted one is, and around it.
func BenchmarkVerifyArtifactResponse(b *testing.B) {
	sp := newSP(b, withArtifacts(b))
	for name, a := range map[string]artifactAnswer{
		"okta8":  {Inside: doc{Attributes: attributesOf(8, 1)}},
		"around": {Inside: doc{Attributes: attributesOf(8, 1), UnsignedAssertion: true}, Sign: true},
	} {
		envelope := a.xml(b)
		b.Run(name, func(b *testing.B) {
			measure(b, func() error {
				_, err := sp.VerifyArtifactResponse(envelope, ofArtifact, unsolicited)
				return err
			})
		})
	}
}

func measure(b *testing.B, run func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := run(); err != nil {
			b.Skipf("this document is refused: %v", err)
		}
	}
}

// capturedOneLogin is a response that OneLogin made in 2016. Its Signature is
// genuine, and public.
func capturedOneLogin(b *testing.B) []byte {
	raw := captureFile(b, captureDir(b), "testdata/TestSPCanHandleOneloginResponse_response")
	doc, err := base64.StdEncoding.DecodeString(string(raw))
	require.NoError(b, err)
	return doc
}

// BenchmarkAuthnRequest is a request by HTTP-Redirect beside Verify of a good
// response in the same loop; where it is signed, beside Verify and one
// private-key operation. "times" is how many times as much the first costs.
func BenchmarkAuthnRequest(b *testing.B) {
	good := doc{Attributes: attributesOf(8, 1)}.base64(b)
	digest := sha256.Sum256(good)
	for name, change := range map[string]func(*saml.Config){
		"unsigned": func(*saml.Config) {}, "signed": signingConfig(b, keys().other),
	} {
		sp := newSP(b, change)
		b.Run(name, func(b *testing.B) {
			var requesting, verifying []time.Duration
			for b.Loop() {
				start := time.Now()
				request, err := sp.NewAuthnRequest(saml.RequestOptions{})
				require.NoError(b, err)
				_, err = request.RedirectURL("state")
				require.NoError(b, err)
				between := time.Now()
				_, err = sp.Verify(good, unsolicited)
				require.NoError(b, err)
				if name == "signed" {
					_, err = rsa.SignPKCS1v15(nil, keys().other, crypto.SHA256, digest[:])
					require.NoError(b, err)
				}
				requesting, verifying = append(requesting, between.Sub(start)), append(verifying, time.Since(between))
			}
			reportTimes(b, requesting, verifying)
		})
	}
}

// BenchmarkRejectEncrypted is an unsigned message with eight EncryptedKeys, which
// an attacker can make without any key, beside a good encrypted one. "times" is
// how many times as much the first costs.
func BenchmarkRejectEncrypted(b *testing.B) {
	sp := newSP(b, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} })
	good := doc{Attributes: attributesOf(8, 1), Encrypt: sealing{}.seal}.base64(b)
	eight := doc{
		Attributes: attributesOf(8, 1),
		Encrypt:    sealing{to: slices.Repeat([]*rsa.PrivateKey{keys().idp}, 8)}.seal,
	}.base64(
		b,
	)
	var accepting, refusing []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := sp.Verify(good, unsolicited); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		if _, err := sp.Verify(eight, unsolicited); err == nil {
			b.Fatal("accepted")
		}
		accepting, refusing = append(accepting, between.Sub(start)), append(refusing, time.Since(between))
	}
	reportTimes(b, refusing, accepting)
}

// reportTimes reports how many times as much the first took as the second, by
// the lower deciles: other work on the machine only adds time.
func reportTimes(b *testing.B, first, second []time.Duration) {
	decile := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/10])
	}
	b.ReportMetric(decile(first)/decile(second), "times")
}

// junk returns 100 kB of meaningless elements.
func junk() string { return strings.Repeat("<a b='c'>d</a>", 100_000/14) }

// refusedDocs are documents of junk: alone, and inside what the identity
// provider signed.
func refusedDocs() []benchDoc {
	return []benchDoc{
		{"junk", doc{After: func(string) string { return "<r>" + junk() + "</r>" }}, 0},
		{"envelope", doc{After: replace("<saml:Subject>", junk()+"<saml:Subject>")}, 0},
	}
}

// BenchmarkReject measures the work that an attacker can cause. "good100k" is a good
// response of 100 kB, to compare with.
func BenchmarkReject(b *testing.B) {
	sp := newSP(b)
	good100k := doc{Attributes: attributesOf(1, 530)}.base64(b)
	b.Run("good100k", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(good100k)))
		for b.Loop() {
			if _, err := sp.Verify(good100k, unsolicited); err != nil {
				b.Fatal(err)
			}
		}
	})
	good := doc{Attributes: attributesOf(8, 1)}
	changed := good
	changed.After = replace("alice@", "admin@")
	envelope := refusedDocs()[1].doc
	captured := capturedOneLogin(b)
	at := bytes.Index(captured, []byte("<saml:Subject>"))
	require.Positive(b, at)
	captured = slices.Concat(captured[:at], []byte(junk()), captured[at:])
	const root = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`
	for _, d := range []struct {
		name string
		xml  []byte
	}{
		{"changed", changed.xml(b)},
		{"junk", []byte("<r>" + junk() + "</r>")},
		{"nesting900", []byte(root + ">" + strings.Repeat("<a>", 900) + strings.Repeat("</a>", 900) + "</samlp:Response>")},
		{"envelope", captured},
		{"envelope, our own IdP's signature", envelope.xml(b)},
		{"attributes100000", []byte(root + strings.Repeat(` x="y"`, 100_000) + "/>")},
		{"text1M", []byte(root + ">" + strings.Repeat("text ", 200_000) + "</samlp:Response>")},
	} {
		raw := []byte(base64.StdEncoding.EncodeToString(d.xml))
		b.Run(d.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if _, err := sp.Verify(raw, unsolicited); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
