package saml_test

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// decrypting is a configuration with one key, which counts.
func decrypting(c *saml.Config) *countingKey {
	key := &countingKey{PrivateKey: keys().other}
	c.DecryptionKeys = []crypto.Decrypter{key}
	return key
}

func allowCBC(c *saml.Config)   { c.InsecureAllowUnauthenticatedCBC = true }
func allowRSA15(c *saml.Config) { c.InsecureAllowRSA15 = true }

// encryptedRow is one document, the verdict on it, and how often the private
// key was asked. Ids are those of the attack catalogue.
type encryptedRow struct {
	name   string
	doc    doc
	with   func(*saml.Config)
	reason saml.Reason // empty: accepted
	ops    int
}

// verify verifies the document. If it is accepted, its NameID must be nameID.
func (r encryptedRow) verify(t *testing.T, nameID string) {
	var key *countingKey
	sp := newSP(t, func(c *saml.Config) {
		key = decrypting(c)
		if r.with != nil {
			r.with(c)
		}
	})
	a, err := sp.Verify(r.doc.base64(t), unsolicited)
	require.EqualValues(t, r.ops, key.n.Load(), "private-key operations; %v", err)
	if r.reason != "" {
		require.Nil(t, a)
		requireReason(t, r.reason, err)
		require.Less(t, len(err.Error()), 1000)
		return
	}
	require.NoError(t, err)
	require.Equal(t, nameID, a.NameID().Value)
	require.Equal(t, "_asrt1", a.ID())
}

// Obligations: IIP-ALG04, IIP-SP08, SDP-SP10.
func TestEncryptedAssertions(t *testing.T) {
	seal := func(s sealing) func(string) string { return s.seal }
	const signature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`
	around := doc{SignResponse: true, UnsignedAssertion: true} // signed around it
	both := doc{SignResponse: true}
	within := doc{} // signed within it
	none := doc{UnsignedAssertion: true}
	with := func(d doc, s sealing) doc { d.Encrypt = seal(s); return d }
	after := func(d doc, change func(string) string) doc { d.After = change; return d }
	flip := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	noKey := func(c *saml.Config) { c.DecryptionKeys = nil }
	attackers := sealing{}.seal(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_evil"/>`)

	for _, r := range []encryptedRow{
		// The two orders.
		{name: "signed around", doc: with(around, sealing{}), ops: 1},
		{name: "signed around and within", doc: with(both, sealing{}), ops: 1},
		{name: "signed within", doc: with(within, sealing{}), ops: 1},
		{name: "E07 not signed", doc: with(none, sealing{}), reason: saml.ReasonUnsigned, ops: 1},
		{
			name: "signed around, and badly within", doc: with(doc{SignResponse: true, AssertionKey: keys().other}, sealing{}),
			reason: saml.ReasonSignature, ops: 1,
		},
		{
			name: "badly signed within", doc: with(doc{AssertionKey: keys().other}, sealing{}), reason: saml.ReasonSignature,
			ops: 1,
		},
		{
			name: "signed within and changed", doc: with(within, sealing{plain: replace("alice@", "admin@")}),
			reason: saml.ReasonSignature, ops: 1,
		},
		{
			name: "E13 badly signed around", doc: with(doc{SignResponse: true, Key: keys().weak}, sealing{}),
			reason: saml.ReasonSignature,
		},
		{
			name: "E13 E05 changed ciphertext", doc: after(with(around, sealing{}), replace("CipherValue>", "CipherValue>AAAA")),
			reason: saml.ReasonSignature,
		},
		{name: "E13 another EncryptedAssertion (A17)", doc: after(with(around, sealing{}), func(x string) string {
			from, to := strings.Index(x, "<saml:EncryptedAssertion"), strings.Index(x, "</samlp:Response>")
			return x[:from] + attackers + x[to:]
		}), reason: saml.ReasonSignature},
		{
			name: "E13 weak signature around", doc: with(doc{SignResponse: true, Method: sha1RSA}, sealing{}),
			reason: saml.ReasonAlgorithm,
		},

		// Algorithms, each before a private key is used.
		{name: "no key", doc: with(within, sealing{}), with: noKey, reason: saml.ReasonEncrypted},
		{name: "E01 CBC signed around", doc: with(around, sealing{data: cbc256}), ops: 1},
		{name: "E01 CBC signed within", doc: with(within, sealing{data: cbc256}), reason: saml.ReasonAlgorithm},
		{name: "E01 CBC signed within, allowed", doc: with(within, sealing{data: cbc256}), with: allowCBC, ops: 1},
		{name: "E02 RSA 1.5", doc: with(around, sealing{transport: rsa15}), reason: saml.ReasonAlgorithm},
		{name: "E02 RSA 1.5 allowed", doc: with(within, sealing{transport: rsa15}), with: allowRSA15, ops: 1},
		{name: "E09 3DES", doc: with(around, sealing{after: replace(gcm256, tripled)}), reason: saml.ReasonAlgorithm},
		{
			name: "E10 OAEP digest mismatch",
			doc: with(
				within,
				sealing{
					after: replace(mgf1p+`"/>`, mgf1p+`"><ds:DigestMethod Algorithm="`+xenc+`sha256"/></xenc:EncryptionMethod>`),
				},
			),
			reason: saml.ReasonEncrypted, ops: 1,
		},

		// What was encrypted.
		{name: "E05 changed", doc: with(within, sealing{change: flip}), reason: saml.ReasonEncrypted, ops: 1},
		{
			name: "short", doc: with(within, sealing{change: func(b []byte) []byte { return b[:3] }}),
			reason: saml.ReasonEncrypted, ops: 1,
		},
		{
			name: "ragged CBC", doc: with(within, sealing{data: cbc256, change: func(b []byte) []byte { return b[:17] }}),
			with: allowCBC, reason: saml.ReasonEncrypted, ops: 1,
		},
		{
			name: "E11 wrong key", doc: with(within, sealing{to: []*rsa.PrivateKey{keys().idp}}), reason: saml.ReasonEncrypted,
			ops: 1,
		},
		{name: "E11 two recipients", doc: with(within, sealing{to: []*rsa.PrivateKey{keys().idp, keys().other}}), ops: 2},
		{
			name:   "E11 several recipients",
			doc:    with(within, sealing{to: []*rsa.PrivateKey{keys().idp, keys().idp, keys().other}}),
			reason: saml.ReasonEncrypted, ops: 2,
		},
		{
			name: "E11 several recipients, signed around",
			doc:  with(around, sealing{to: []*rsa.PrivateKey{keys().idp, keys().idp, keys().other}}), ops: 3,
		},
		{
			name: "E11 too many recipients", doc: with(within, sealing{to: slices.Repeat([]*rsa.PrivateKey{keys().other}, 9)}),
			reason: saml.ReasonEncrypted,
		},
		{name: "J06 many recipients, and ours is named",
			doc: with(within, sealing{to: append(slices.Repeat([]*rsa.PrivateKey{keys().idp}, 9), keys().other),
				after: func(x string) string {
					last := strings.LastIndex(x, "<xenc:EncryptedKey>")
					return x[:last] + strings.Replace(x[last:], "<xenc:EncryptedKey>", `<xenc:EncryptedKey Recipient="`+spEntity+`">`, 1)
				}}), ops: 1},
		{name: "E06 CipherReference", doc: with(within, sealing{after: func(x string) string {
			return x[:strings.LastIndex(x, "<xenc:CipherValue>")] +
				`<xenc:CipherReference URI="https://evil.example/"/></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`
		}}), reason: saml.ReasonEncrypted},
		{
			name: "E08 DOCTYPE", doc: with(within, sealing{plain: func(x string) string { return "<!DOCTYPE x>" + x }}),
			reason: saml.ReasonXML, ops: 1,
		},
		{
			name: "E08 two nodes", doc: with(around, sealing{plain: func(x string) string { return x + x }}),
			reason: saml.ReasonXML, ops: 1,
		},
		{
			name: "E08 text around", doc: with(around, sealing{plain: func(x string) string { return x + "x" }}),
			reason: saml.ReasonXML, ops: 1,
		},
		{
			name: "E08 comment in a text", doc: with(within, sealing{plain: replace("alice@", "alice<!-- -->@")}),
			reason: saml.ReasonText, ops: 1,
		},
		{
			name: "E08 comments elsewhere",
			doc:  with(within, sealing{plain: func(x string) string { return "<!-- a -->" + x + "<!-- b -->" }}), ops: 1,
		},
		{name: "E08 namespaces of the place where it stands", doc: with(around, sealing{plain: func(x string) string {
			require.NotContains(t, x, "xmlns:saml=")
			return x
		}}), ops: 1},
		{
			name: "E08 namespaces of EncryptedData are not in scope in its place",
			doc:  with(around, sealing{plain: replace("<saml:Subject>", "<xenc:x/><saml:Subject>")}), reason: saml.ReasonXML,
			ops: 1,
		},
		{
			name: "E08 depth",
			doc: with(
				around,
				sealing{plain: replace("<saml:Subject>", strings.Repeat("<a>", 80)+strings.Repeat("</a>", 80)+"<saml:Subject>")},
			),
			reason: saml.ReasonLimit, ops: 1,
		},
		{
			name:   "ID of the Response",
			doc:    with(doc{SignResponse: true, UnsignedAssertion: true, Before: set(asrt, "ID", "_resp1")}, sealing{}),
			reason: saml.ReasonID, ops: 1,
		},
		{
			name: "not an assertion", doc: with(within, sealing{plain: func(string) string { return "<a/>" }}),
			reason: saml.ReasonEncrypted, ops: 1,
		},
		{
			name: "A18 encrypted twice", doc: with(around, sealing{plain: sealing{}.seal}), reason: saml.ReasonEncrypted, ops: 1,
		},
		{
			name:   "A18 an assertion in it",
			doc:    with(doc{SignResponse: true, Before: add(asrt, `<saml:Advice><saml:Assertion/></saml:Advice>`)}, sealing{}),
			reason: saml.ReasonAssertionCount, ops: 1,
		},
		{
			name:   "A18 an EncryptedAssertion in it",
			doc:    with(doc{SignResponse: true, Before: add(asrt, `<saml:Advice>`+attackers+`</saml:Advice>`)}, sealing{}),
			reason: saml.ReasonAssertionCount, ops: 1,
		},
		{
			name: "A18 a Response in it",
			doc: with(
				doc{SignResponse: true, Before: add(asrt, `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`)},
				sealing{},
			),
			reason: saml.ReasonAssertionCount, ops: 1,
		},
		{
			name:   "a Signature elsewhere in it",
			doc:    with(doc{SignResponse: true, Before: add(".//Subject", signature)}, sealing{}),
			reason: saml.ReasonSignatureShape, ops: 1,
		},
		{
			name: "a rule that doesn't hold", doc: with(doc{Recipient: euACS, Destination: usACS}, sealing{}),
			reason: saml.ReasonRecipient, ops: 1,
		},

		// What is around it.
		{
			name: "A17 beside a signed assertion",
			doc:  after(within, replace("</samlp:Response>", attackers+"</samlp:Response>")), reason: saml.ReasonAssertionCount,
		},
		{
			name:   "A17 two of them",
			doc:    after(with(within, sealing{}), replace("</samlp:Response>", attackers+"</samlp:Response>")),
			reason: saml.ReasonAssertionCount,
		},
		{name: "A17 not directly in the Response", doc: after(with(within, sealing{}), func(x string) string {
			from, to := strings.Index(x, "<saml:EncryptedAssertion"), strings.Index(x, "</samlp:Response>")
			return strings.Replace(
				x[:from]+x[to:], "<samlp:Status>", "<samlp:Extensions>"+x[from:to]+"</samlp:Extensions><samlp:Status>", 1,
			)
		}), reason: saml.ReasonAssertionCount},
		{
			name:   "A17 a Signature in its KeyInfo",
			doc:    with(within, sealing{after: replace("<xenc:EncryptedKey>", signature+"<xenc:EncryptedKey>")}),
			reason: saml.ReasonSignatureShape,
		},
		{
			name: "A17 a Signature in Extensions",
			doc: after(
				with(within, sealing{}),
				replace("<samlp:Status>", "<samlp:Extensions>"+signature+"</samlp:Extensions><samlp:Status>"),
			),
			reason: saml.ReasonSignatureShape,
		},
	} {
		t.Run(r.name, func(t *testing.T) { r.verify(t, "alice@example.com") })
	}
}

// E01 to E04: with CBC that no signature covers, every failure before a valid
// signature inside looks the same: one error, after the same number of private-key
// operations. So an attacker who sends changed ciphertexts learns nothing from the
// errors.
func TestCBCFailuresLookTheSame(t *testing.T) {
	cbc := func(s sealing) sealing { s.data = cbc256; return s }
	d := func(d doc, s sealing) doc { d.Encrypt = cbc(s).seal; return d }
	text := ""
	for name, d := range map[string]doc{
		"padding 17":             d(doc{}, sealing{pad: 17}),
		"padding 200":            d(doc{}, sealing{pad: 200}),
		"ragged":                 d(doc{}, sealing{change: func(b []byte) []byte { return b[1:] }}),
		"first block changed":    d(doc{}, sealing{change: func(b []byte) []byte { b[0] ^= 1; return b }}),
		"not XML":                d(doc{}, sealing{plain: func(string) string { return "x" }}),
		"another element":        d(doc{}, sealing{plain: func(string) string { return "<a/>" }}),
		"wrong key":              d(doc{}, sealing{to: []*rsa.PrivateKey{keys().weak}}),
		"RSA 1.5, wrong key":     d(doc{}, sealing{transport: rsa15, to: []*rsa.PrivateKey{keys().weak}}),
		"not signed":             d(doc{UnsignedAssertion: true}, sealing{}),
		"badly signed":           d(doc{AssertionKey: keys().weak}, sealing{}),
		"changed after signing":  d(doc{}, sealing{plain: replace("alice@", "admin@")}),
		"weak signature":         d(doc{Method: sha1RSA}, sealing{}),
		"a second assertion":     d(doc{Before: add(asrt, `<saml:Advice><saml:Assertion/></saml:Advice>`)}, sealing{}),
		"an odd signature shape": d(doc{}, sealing{plain: replace("<ds:SignedInfo>", "<ds:SignedInfo><x/>")}),
	} {
		var first *countingKey
		second := &countingKey{PrivateKey: keys().idp}
		sp := newSP(t, allowCBC, allowRSA15, func(c *saml.Config) {
			first = decrypting(c)
			c.DecryptionKeys = append(c.DecryptionKeys, second)
		})
		raw := d.base64(t)
		a, err := sp.Verify(raw, unsolicited)
		require.Nil(t, a, name)
		requireReason(t, saml.ReasonEncrypted, err)
		require.NoError(t, errors.Unwrap(err), name)
		if text == "" {
			text = err.Error()
		}
		require.Equal(t, text, err.Error(), name)
		require.EqualValues(t, 1, first.n.Load(), name)
		require.EqualValues(t, 1, second.n.Load(), name)

		report := sp.Explain(raw, unsolicited)
		require.EqualError(t, report.Err, text, "the verdict of Explain is Verify's: %s", name)
	}
}

// AES-CBC is reported where it is accepted, also in a part of an assertion.
// Obligations: IIP-ALG05.
func TestCBCIsReported(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { decrypting(c) })
	attribute := func(data string) doc {
		const plain = `<saml:Attribute Name="a"/>`
		return doc{SignResponse: true, Attributes: sealing{element: "EncryptedAttribute", data: data}.seal(plain)}
	}
	for _, c := range []struct {
		doc  doc
		want int
	}{
		{doc{SignResponse: true, Encrypt: sealing{}.seal}, 0},
		{doc{SignResponse: true, Encrypt: sealing{data: cbc256}.seal}, 1},
		{attribute(""), 0},
		{attribute(cbc256), 1},
	} {
		a, err := sp.Verify(c.doc.base64(t), unsolicited)
		require.NoError(t, err)
		require.Len(t, a.Warnings(), c.want)
		if c.want > 0 {
			require.Contains(t, a.Warnings()[0], "AES-CBC")
		}
	}
}

// Rollover: the new key first, the old one until it is no longer used.
// Obligations: IIP-SP08, SDP-SP38.
func TestSeveralDecryptionKeys(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other, keys().idp} })
	for _, key := range []*rsa.PrivateKey{keys().other, keys().idp} {
		for _, d := range []doc{{}, {SignResponse: true, UnsignedAssertion: true}} {
			d.Encrypt = sealing{to: []*rsa.PrivateKey{key}}.seal
			_, err := sp.Verify(d.base64(t), unsolicited)
			require.NoError(t, err)
		}
	}
}

// Explain names the steps in the order in which they were taken.
func TestExplainReportsTheOrder(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { decrypting(c) })
	const shape, signatures = "Shape of signatures (Core 5.4)", "Signatures (Profiles 4.1.4.5)"
	const decryption, schema = "Decryption (Core 2.3.4, 6)", "Schema of what was signed (Core 2.3.3)"
	for _, c := range []struct {
		doc  doc
		want []string
	}{
		{doc{}, []string{shape, signatures, schema}},
		{
			doc{SignResponse: true, Encrypt: sealing{}.seal}, []string{shape, signatures, decryption, shape, signatures, schema},
		},
		{doc{Encrypt: sealing{}.seal}, []string{shape, decryption, shape, signatures, schema}},
	} {
		report := sp.Explain(c.doc.base64(t), unsolicited)
		require.NoError(t, report.Err)
		var got []string
		for _, check := range report.Checks {
			switch check.Rule {
			case shape, signatures, decryption, schema:
				got = append(got, check.Rule)
			}
		}
		require.Equal(t, c.want, got)
	}
}

// One service provider verifies many messages concurrently.
func TestDecryptionIsSafeForConcurrentUse(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().idp, keys().other} })
	raw := doc{Encrypt: sealing{}.seal}.base64(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 5 {
				a, err := sp.Verify(raw, unsolicited)
				if err != nil || a.NameID().Value != "alice@example.com" {
					t.Errorf("got %v, %v", a, err)
				}
			}
		}()
	}
	wg.Wait()
}

// FuzzVerifyDecrypted feeds what an attacker can encrypt to us, since our key is
// public. Nothing but what the identity provider signed comes out.
func FuzzVerifyDecrypted(f *testing.F) {
	sp := newSP(f, allowCBC, func(c *saml.Config) { decrypting(c) })
	for _, d := range []doc{
		{}, {UnsignedAssertion: true}, {AssertionKey: keys().other},
		{Attributes: sealing{element: "EncryptedAttribute"}.seal("<saml:Attribute Name='a'/>")},
	} {
		d.Encrypt = func(assertion string) string {
			f.Add([]byte(assertion), true)
			f.Add([]byte(assertion), false)
			return sealing{}.seal(assertion)
		}
		d.xml(f)
	}
	for _, assertion := range assertions(vectorDocuments(f)) {
		f.Add(assertion, false)
	}
	f.Add([]byte("<!DOCTYPE a><a/>"), true)
	f.Add([]byte(""), false)
	around := string(doc{Encrypt: sealing{}.seal}.xml(f))
	from, to := strings.Index(around, "<saml:EncryptedAssertion"), strings.Index(around, "</samlp:Response>")
	f.Fuzz(func(t *testing.T, plain []byte, cbc bool) {
		s := sealing{}
		if cbc {
			s.data = cbc256
		}
		a, err := sp.VerifyXML([]byte(around[:from]+s.seal(string(plain))+around[to:]), unsolicited)
		if err != nil {
			require.Nil(t, a)
			return
		}
		require.Equal(t, "alice@example.com", a.NameID().Value)
		require.Equal(t, "_asrt1", a.ID())
	})
}

// Invariant 3: declarations around a ciphertext are not covered by a signature over
// it unless they are visibly used. So they have no effect on an assertion without
// its own signature, and such an assertion can't use them.
func TestInvariant3_NamespacesAroundCiphertext(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { decrypting(c) })
	value := func(inside string) func(string) string {
		return sealing{
			plain: replace(
				"</saml:AttributeStatement>",
				`<saml:Attribute Name="a"><saml:AttributeValue>`+inside+`</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`,
			),
		}.seal
	}
	d := doc{
		SignResponse:      true,
		UnsignedAssertion: true,
		Attributes:        `<saml:Attribute Name="z"/>`,
		Encrypt:           value("<role>admin</role>"),
	}
	plain := d.xml(t)
	for _, declaration := range []string{``, ` xmlns="urn:evil"`, ` xmlns="urn:oasis:names:tc:SAML:2.0:assertion"`} {
		a, err := sp.VerifyXML(
			[]byte(strings.Replace(string(plain), "<samlp:Response", "<samlp:Response"+declaration, 1)),
			unsolicited,
		)
		require.NoError(t, err)
		require.Equal(t, []saml.Element{{Name: "role", Text: "admin"}}, a.Attributes()[1].Values[0].Elements, declaration)
	}
	d.Encrypt = value(`<x:role/>`)
	for _, declaration := range []string{``, ` xmlns:x="urn:x"`} {
		_, err := sp.VerifyXML(
			[]byte(strings.Replace(string(d.xml(t)), "<samlp:Response", "<samlp:Response"+declaration, 1)),
			unsolicited,
		)
		requireReason(t, saml.ReasonXML, err)
	}
}

// A large message is not kept in memory, only its values.
func TestValuesDoNotRetainTheMessage(t *testing.T) {
	sp := newSP(t)
	padded := doc{
		Attributes: attributesOf(2, 1),
		After: replace(
			"<samlp:Status>",
			"<samlp:Extensions><x>"+strings.Repeat("x", 1<<20)+"</x></samlp:Extensions><samlp:Status>",
		),
	}.xml(
		t,
	)
	var kept []*saml.Assertion
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 50 {
		a, err := sp.VerifyXML(padded, unsolicited)
		require.NoError(t, err)
		require.Equal(t, []string{"value 0 of it"}, a.Values("attribute1"))
		require.Equal(t, "alice@example.com", a.NameID().Value)
		kept = append(kept, a)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(10<<20), "50 of them, of a megabyte each")
	runtime.KeepAlive(kept)
}
