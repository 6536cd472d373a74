package dsig_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	goxmldsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// goxmldsigs is the canonical form of a whole document by goxmldsig on etree.
func goxmldsigs(t *testing.T, doc, list string) string {
	t.Helper()
	d := etree.NewDocument()
	require.NoError(t, d.ReadFromString(doc))
	b, err := goxmldsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(list).Canonicalize(d.Root())
	require.NoError(t, err)
	return string(b)
}

func ours(t *testing.T, doc, list string) string {
	t.Helper()
	d, err := xmltree.Parse(doc, roomy)
	require.NoError(t, err)
	return string(dsig.Canonical(d.Root(), xmltree.Node{}, list))
}

// TestCanonicalFormIsGoxmldsigs compares whole documents that have none of
// what TestWhereGoxmldsigIsWrong is about.
func TestCanonicalFormIsGoxmldsigs(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(5, 0)), plain: true}
	for range 2_000 {
		all, err := g.subtrees(1)
		require.NoError(t, err)
		list := strings.Join(slices.DeleteFunc(all[0].List, func(s string) bool { return s == "#default" }), " ")
		doc := all[0].Doc
		require.Equal(t, goxmldsigs(t, doc, list), ours(t, doc, list), "%q of %q", list, doc)
	}
}

// What goxmldsig does otherwise. libxml2 agrees with us in each, as
// TestCanonicalFormIsLibxml2s shows for as many as it makes. Nothing is signed
// otherwise by an identity provider that uses these; the mock, which signs
// with goxmldsig, must keep clear of them.
func TestWhereGoxmldsigIsWrong(t *testing.T) {
	for _, c := range []struct{ why, doc, list, goxmldsig, ours string }{
		{
			"attributes are sorted by the name of their namespace, then by local name (Canonical XML 1.0, 2.2); goxmldsig takes those of different prefixes by local name first",
			`<e xmlns:a="urn:1" xmlns:b="urn:2" a:y="" b:x=""/>`, "",
			`<e xmlns:a="urn:1" xmlns:b="urn:2" b:x="" a:y=""></e>`,
			`<e xmlns:a="urn:1" xmlns:b="urn:2" a:y="" b:x=""></e>`,
		},
		{
			"where they have the same local name, it only knows the namespaces declared right there",
			`<r xmlns:a="urn:2" xmlns:b="urn:1" a:r="" b:r=""><e a:x="" b:x=""/></r>`, "",
			`<r xmlns:a="urn:2" xmlns:b="urn:1" b:r="" a:r=""><e a:x="" b:x=""></e></r>`,
			`<r xmlns:a="urn:2" xmlns:b="urn:1" b:r="" a:r=""><e b:x="" a:x=""></e></r>`,
		},
		{
			"xmlns=\"\" is written only where the output around it has another default (Canonical XML 1.0, 2.3); goxmldsig begins as if it had",
			`<e xmlns=""/>`, "",
			`<e xmlns=""></e>`,
			`<e></e>`,
		},
		{
			"the default namespace is called #default in a PrefixList (Exclusive XML Canonicalization 1.0, 3); goxmldsig doesn't know it",
			`<a:e xmlns:a="urn:1" xmlns="urn:2"/>`, "#default",
			`<a:e xmlns:a="urn:1"></a:e>`,
			`<a:e xmlns="urn:2" xmlns:a="urn:1"></a:e>`,
		},
		{
			"white space in an attribute's value is a blank unless it came by reference (XML 1.0, 3.3.3); etree, on encoding/xml, doesn't do that",
			"<e a=\"1\n2\"/>", "",
			`<e a="1&#xA;2"></e>`,
			`<e a="1 2"></e>`,
		},
	} {
		require.Equal(t, c.goxmldsig, goxmldsigs(t, c.doc, c.list), c.why)
		require.Equal(t, c.ours, ours(t, c.doc, c.list), c.why)
	}
}

// Every difference between the two on any document is one of those above.
func TestGoxmldsigDiffersOnlyWhereItIsWrong(t *testing.T) {
	g := &generator{Rand: rand.New(rand.NewPCG(6, 0))}
	different := 0
	for range 3_000 {
		all, err := g.subtrees(1)
		require.NoError(t, err)
		doc, list := all[0].Doc, strings.Join(all[0].List, " ")
		got := goxmldsigs(t, doc, list)
		want := ours(t, doc, list)
		if got == want {
			continue
		}
		different++
		require.NotEmpty(t, explained(t, doc, all[0].List), "%q of %q:\ngoxmldsig %q\nwe        %q", list, doc, got, want)
	}
	t.Logf("%d of 3000 different, all explained", different)
	require.NotZero(t, different)
}

// explained says which of the reasons above a document has.
func explained(t *testing.T, doc string, list []string) (why []string) {
	d, err := xmltree.Parse(doc, roomy)
	require.NoError(t, err)
	if slices.Contains(list, "#default") {
		why = append(why, "#default")
	}
	d.Root().Walk(func(e xmltree.Node) {
		for _, decl := range e.Decls() {
			if decl.NS == xmltree.None {
				why = append(why, `xmlns=""`)
			}
		}
		prefixed := 0
		for _, a := range e.Attrs() {
			if a.NS != xmltree.None {
				prefixed++
			}
			if strings.Contains(a.Value, " ") {
				why = append(why, "white space in a value")
			}
		}
		if prefixed > 1 {
			why = append(why, "order of attributes")
		}
	})
	return why
}
