package saml_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// Soundness: a valid signed response that was changed anywhere is either
// refused, or says exactly what it said before.

// original is a response that is accepted, and what it says.
type original struct {
	name   string
	doc    []byte
	wrap   func([]byte) []byte // makes a response of doc; nil where it is one
	values []any
}

func (o original) response(doc []byte) []byte {
	if o.wrap == nil {
		return doc
	}
	return o.wrap(doc)
}

// soundSP accepts all originals. What is encrypted to it, a stranger can have
// encrypted: its key is public.
func soundSP(t testing.TB) *saml.ServiceProvider {
	return newSP(t, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} })
}

var madeOriginals struct {
	sync.Once
	all []original
}

// originals are made once, for they are signed.
func originals(t testing.TB) []original {
	madeOriginals.Do(func() { madeOriginals.all = makeOriginals(t) })
	return madeOriginals.all
}

func makeOriginals(t testing.TB) []original {
	attributes := attributesOf(3, 1) +
		`<saml:Attribute Name="groups"><saml:AttributeValue>staff</saml:AttributeValue><saml:AttributeValue><![CDATA[a<b]]>&amp;c</saml:AttributeValue></saml:Attribute>` +
		`<saml:Attribute Name="targeted" FriendlyName="t"><saml:AttributeValue><saml:NameID NameQualifier="q">opaque</saml:NameID></saml:AttributeValue></saml:Attribute>` +
		`<saml:Attribute Name="empty"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></saml:Attribute>` +
		`<saml:Attribute Name="odd"><saml:AttributeValue xml:lang="de" xmlns:o="http://a.example/" o:a="1 2">ä&#13;€</saml:AttributeValue></saml:Attribute>`
	pretty := func(x string) string {
		return strings.NewReplacer("<samlp:Status>", "\n  <samlp:Status>", "<saml:Assertion ", "\n  <!-- the assertion --><saml:Assertion ").Replace(x)
	}
	var out []original
	for _, o := range []struct {
		name string
		doc  doc
	}{
		{"assertion signed", doc{Attributes: attributes}},
		{"assertion signed, solicited", doc{Attributes: attributes, RequestID: "_r1", After: pretty}},
		{"assertion signed with a PrefixList", doc{UnsignedAssertion: true, After: listedByHand}},
		{"Response signed", doc{Attributes: attributes, SignResponse: true, UnsignedAssertion: true, RequestID: "_r1"}},
		{"both signed", doc{Attributes: attributes, SignResponse: true}},
		{"small, assertion signed", doc{}},
		{"small, both signed", doc{SignResponse: true}},
	} {
		x := o.doc.xml(t)
		out = append(out, original{name: o.name, doc: x})
	}
	plain := doc{Attributes: attributes}.xml(t)
	from, to := bytes.Index(plain, []byte("<saml:Assertion ")), bytes.Index(plain, []byte("</samlp:Response>"))
	seal := func(assertion []byte) []byte {
		return slices.Concat(plain[:from], []byte(sealing{}.seal(string(assertion))), plain[to:])
	}
	out = append(out,
		original{name: "encrypted, signed within: what is around", doc: seal(plain[from:to])},
		original{name: "encrypted, signed within: what is inside", doc: plain[from:to], wrap: seal},
		// What stands inside leans on declarations around it, which a
		// signature may cover or not.
		original{name: "encrypted, signed around", doc: doc{Attributes: attributes, SignResponse: true, UnsignedAssertion: true, Encrypt: sealing{}.seal}.xml(t)},
		original{name: "encrypted, both signed", doc: doc{Attributes: attributes, SignResponse: true, Encrypt: sealing{}.seal}.xml(t)},
		original{name: "encrypted attribute", doc: doc{SignResponse: true, Attributes: sealing{element: "EncryptedAttribute"}.seal(`<saml:Attribute Name="role"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>`)}.xml(t)})
	for i, o := range out {
		out[i].values = said(mustVerify(t, o.response(o.doc)))
	}
	return out
}

// listedByHand signs an assertion that is written in canonical form, so that
// no canonicaliser is needed for it: a PrefixList keeps xs, which only a value
// uses, and the default namespace, which nothing uses.
func listedByHand(x string) string {
	const start = `<saml:Assertion xmlns="urn:unused" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_asrt1" IssueInstant="2026-11-22T12:00:00Z" Version="2.0"><saml:Issuer>` + idpEntity + `</saml:Issuer>`
	const rest = `<saml:Subject><saml:NameID>alice@example.com</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="2026-11-22T12:05:00Z" Recipient="` + usACS + `"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="2026-11-22T11:55:00Z" NotOnOrAfter="2026-11-22T12:05:00Z">` + oneAudience + `</saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="2026-11-22T12:00:00Z" SessionIndex="_s1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
		`<saml:AttributeStatement><saml:Attribute Name="groups"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">a&lt;b&amp;c</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>`
	const exclusive = `"http://www.w3.org/2001/10/xml-exc-c14n#"`
	digest := sha256.Sum256([]byte(start + rest))
	info := `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm=` + exclusive + `></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>` +
		`<ds:Reference URI="#_asrt1"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm=` + exclusive + `><ec:InclusiveNamespaces xmlns:ec=` + exclusive + ` PrefixList="xs #default"></ec:InclusiveNamespaces></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	digest = sha256.Sum256([]byte(info))
	value, err := rsa.SignPKCS1v15(nil, keys().idp, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	signature := `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue></ds:Signature>`
	from, to := strings.Index(x, "<saml:Assertion "), strings.Index(x, "</samlp:Response>")
	return x[:from] + start + signature + rest + x[to:]
}

var anyExpect = saml.Expect{ACS: usACS, RequestIDs: []string{"_r1"}, Unsolicited: true}

// said calls every method of an Assertion that needs nothing to be told,
// whatever methods it has, and then the others.
func said(a *saml.Assertion) []any {
	var out []any
	v := reflect.ValueOf(a)
	for i := range v.NumMethod() {
		if m := v.Method(i); m.Type().NumIn() == 0 {
			for _, r := range m.Call(nil) {
				out = append(out, r.Interface())
			}
		}
	}
	for _, name := range []string{"groups", "targeted", "empty", "odd", "attribute0", "attribute1", "attribute2", "role", ""} {
		out = append(out, a.Values(name), a.Value(name))
	}
	return out
}

// unsaid is where in said the ResponseID is. It is the one value that nobody
// vouches for where the Response isn't signed, as its comment says.
var unsaid = func() int {
	n := 0
	for t, i := reflect.TypeFor[*saml.Assertion](), 0; ; i++ {
		switch m := t.Method(i); {
		case m.Name == "ResponseID":
			return n
		case m.Type.NumIn() == 1:
			n += m.Type.NumOut()
		}
	}
}()

// different says which value of a mutant isn't the original's: "" for none.
func (o original) different(mutant []byte, a *saml.Assertion) string {
	got := said(a)
	for i, want := range o.values {
		if reflect.DeepEqual(want, got[i]) || i == unsaid && !responseSigned(mutant) {
			continue
		}
		return strings.TrimSpace(strings.Join([]string{strconv.Itoa(i), "want", toText(want), "got", toText(got[i])}, " "))
	}
	return ""
}

func toText(v any) string {
	return strings.ReplaceAll(reflect.TypeOf(v).String()+":", "\n", " ") + quoteAny(v)
}

func quoteAny(v any) string {
	b, err := xml.Marshal(struct{ V any }{v})
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// responseSigned looks by other means than the library's.
func responseSigned(doc []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(doc))
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return false
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 1 && token.Name.Local == "Signature" {
				return true
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// pickOriginal takes the encrypted ones less often: they cost as much as twenty
// others, and differ only in what is around what those have.
func pickOriginal(all []original, c chance) original {
	for {
		o := all[c.pick(len(all))]
		if !strings.HasPrefix(o.name, "encrypted") || c.pick(20) == 0 {
			return o
		}
	}
}

// judge says whether a mutant is accepted, and fails if it then says anything
// else than the original.
func (o original) judge(t *testing.T, sp *saml.ServiceProvider, mutant []byte, done []string) bool {
	mutant = o.response(mutant)
	a, err := sp.VerifyXML(mutant, anyExpect)
	if err != nil {
		if a != nil {
			t.Fatalf("an error and an assertion: %v\n%s", err, mutant)
		}
		return false
	}
	if d := o.different(mutant, a); d != "" {
		t.Errorf("%s, after %q: it says something else: %s\n%s", o.name, done, d, mutant)
	}
	return true
}

// TestSoundness makes mutants by chance: 10,000, or as many as
// MERIDIAN_SOUNDNESS says ("10000000", or with another seed "10000000,7").
func TestSoundness(t *testing.T) {
	count, seed := 10_000, uint64(1)
	if asked := os.Getenv("MERIDIAN_SOUNDNESS"); asked != "" {
		n, s, found := strings.Cut(asked, ",")
		var err error
		count, err = strconv.Atoi(n)
		require.NoError(t, err)
		if found {
			seed, err = strconv.ParseUint(s, 10, 64)
			require.NoError(t, err)
		}
	}
	sp := soundSP(t)
	c := chance{rand.New(rand.NewPCG(seed, 0))}
	m := new(mutator)
	classes, details, per := map[string]int{}, map[string]int{}, map[string]int{}
	accepted, same := 0, 0
	for made := 0; made < count && !t.Failed(); {
		o := pickOriginal(originals(t), c)
		mutant := m.mutate(o.doc, c)
		if bytes.Equal(mutant, o.doc) {
			same++
			continue
		}
		made++
		if !o.judge(t, sp, mutant, m.done) {
			continue
		}
		accepted++
		per[o.name]++
		for _, done := range m.done {
			details[done]++
		}
		if len(m.done) == 1 {
			classes[class(o, m.done[0])]++
		} else {
			classes["several at once"]++
		}
	}
	t.Logf("seed %d: %d mutants (and %d that changed nothing), %d accepted, all saying what the original says", seed, count, same, accepted)
	logCounts(t, "by original", per)
	logCounts(t, "by class", classes)
	logCounts(t, "by what was done, and where, each by itself", details)
	require.Greater(t, accepted, count/1000, "mutations that don't matter are among them, or this shows nothing")
}

// class sorts what doesn't matter: parts that nobody signs, and other ways to
// write what canonicalisation makes the same.
func class(o original, done string) string {
	i := strings.LastIndex(done, ", ")
	op, place := done[:i], done[i+2:]
	signed := responseSigned(o.doc)
	switch {
	case place == "KeyInfo":
		return "in KeyInfo"
	case place == "outside the root":
		return "outside the root element"
	case (place == "Response" || place == "Status") && !signed:
		return "in parts of the Response that are not signed"
	case place == "Signature", place == "SignatureValue":
		return "in the Signature outside SignedInfo: " + op
	}
	return "in what is signed: " + op
}

func logCounts(t *testing.T, title string, counts map[string]int) {
	t.Log(title)
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return counts[b] - counts[a] })
	for _, name := range names {
		t.Logf("%9d  %s", counts[name], name)
	}
}

// Each kind of mutation does something to some document, so that none is dead.
func TestEveryMutationIsUsed(t *testing.T) {
	used := map[string]bool{}
	c := chance{rand.New(rand.NewPCG(2, 0))}
	m := new(mutator)
	for range 5_000 {
		m.mutate(originals(t)[c.pick(len(originals(t)))].doc, c)
		for _, done := range m.done {
			name, place, _ := strings.Cut(done, ", ")
			require.NotEmpty(t, place)
			used[name] = true
		}
	}
	for _, op := range mutations {
		name, _, _ := strings.Cut(op.name, ", ")
		require.True(t, used[name], op.name)
	}
}

// The checker itself notices: another person's assertion is different.
func TestSoundnessNotices(t *testing.T) {
	o := originals(t)[0]
	other := doc{Attributes: attributesOf(1, 1)}
	x := other.xml(t)
	require.NotEmpty(t, o.different(x, mustVerify(t, x)))
	require.Empty(t, o.different(o.doc, mustVerify(t, o.doc)))
	require.True(t, responseSigned(originals(t)[4].doc))
	require.False(t, responseSigned(o.doc))
}

func mustVerify(t testing.TB, x []byte) *saml.Assertion {
	a, err := soundSP(t).VerifyXML(x, anyExpect)
	require.NoError(t, err)
	return a
}

// FuzzSoundness lets the fuzzer choose what is done to which response.
func FuzzSoundness(f *testing.F) {
	for i := range len(originals(f)) {
		for op := range len(mutations) {
			f.Add(byte(i), []byte{byte(op), 7, 3, 1, 5, 2})
		}
	}
	sp := soundSP(f)
	f.Fuzz(func(t *testing.T, which byte, choices []byte) {
		o := originals(t)[int(which)%len(originals(t))]
		m := new(mutator)
		mutant := m.mutate(o.doc, &program{choices})
		o.judge(t, sp, mutant, m.done)
	})
}
