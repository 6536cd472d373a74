package dsig_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// TestCanonicalForm is the rules one by one, for a reader without the peers.
// The apex is the element called x, and what is called gone is left out.
func TestCanonicalForm(t *testing.T) {
	for _, c := range []struct{ rule, doc, list, want string }{
		{"an empty element has two tags", `<x/>`, "", `<x></x>`},
		{"escapes in text", `<x>&amp;&lt;&gt;"'&#13;&#9;&#10;</x>`, "", "<x>&amp;&lt;&gt;\"'&#xD;\t\n</x>"},
		{
			"escapes in values", `<x a="&amp;&lt;&gt;&quot;'&#13;&#9;&#10;"/>`, "",
			`<x a="&amp;&lt;>&quot;'&#xD;&#x9;&#xA;"></x>`,
		},
		{"CDATA is text, comments are gone", `<x><![CDATA[<]]><y><!-- c --></y></x>`, "", `<x>&lt;<y></y></x>`},
		{
			"attributes: no namespace first, then by namespace and name",
			`<x xmlns:b="urn:1" xmlns:a="urn:2" a:c="" b:d="" b:a="" z="" y="" xml:q=""/>`, "",
			`<x xmlns:a="urn:2" xmlns:b="urn:1" y="" z="" xml:q="" b:a="" b:d="" a:c=""></x>`,
		},
		{
			"declarations by prefix, the default first", `<x xmlns:b="urn:b" xmlns="urn:d" xmlns:a="urn:a" b:z="" a:z=""/>`, "",
			`<x xmlns="urn:d" xmlns:a="urn:a" xmlns:b="urn:b" a:z="" b:z=""></x>`,
		},
		{
			"only what is used is declared, and where it is",
			`<r xmlns:a="urn:a" xmlns:b="urn:b"><x><a:y><a:z/></a:y><a:y/></x></r>`, "",
			`<x><a:y xmlns:a="urn:a"><a:z></a:z></a:y><a:y xmlns:a="urn:a"></a:y></x>`,
		},
		{
			"in another meaning it is declared again",
			`<x xmlns:a="urn:1"><a:y><a:z xmlns:a="urn:2"><a:y xmlns:a="urn:1"/></a:z><a:z/></a:y></x>`, "",
			`<x><a:y xmlns:a="urn:1"><a:z xmlns:a="urn:2"><a:y xmlns:a="urn:1"></a:y></a:z><a:z></a:z></a:y></x>`,
		},
		{"a value's prefix is not a use", `<r xmlns:a="urn:a"><x t="a:b"/></r>`, "", `<x t="a:b"></x>`},
		{"unless it is listed", `<r xmlns:a="urn:a"><x t="a:b"/></r>`, "a", `<x xmlns:a="urn:a" t="a:b"></x>`},
		{
			"listed: at the apex and where it is declared anew",
			`<r xmlns:a="urn:1"><x><y xmlns:a="urn:1"/><y xmlns:a="urn:2"><z xmlns:a="urn:1"/></y></x></r>`, "a",
			`<x xmlns:a="urn:1"><y></y><y xmlns:a="urn:2"><z xmlns:a="urn:1"></z></y></x>`,
		},
		{"not listed any more below", `<x><y xmlns:a="urn:1"/></x>`, "a", `<x><y xmlns:a="urn:1"></y></x>`},
		{
			"the default undone", `<r xmlns="urn:d"><x xmlns=""><p:y xmlns:p="urn:p"/></x></r>`, "",
			`<x><p:y xmlns:p="urn:p"></p:y></x>`,
		},
		{
			"the default undone below",
			`<p:x xmlns:p="urn:p" xmlns="urn:d"><y><z xmlns=""><p:q/></z></y><p:y xmlns=""><z/></p:y></p:x>`, "",
			`<p:x xmlns:p="urn:p"><y xmlns="urn:d"><z xmlns=""><p:q></p:q></z></y><p:y><z></z></p:y></p:x>`,
		},
		{
			"the default listed", `<r xmlns="urn:d"><p:x xmlns:p="urn:p"><p:y xmlns=""/></p:x></r>`, "#default",
			`<p:x xmlns="urn:d" xmlns:p="urn:p"><p:y xmlns=""></p:y></p:x>`,
		},
		{
			"the xml prefix is never declared",
			`<r xml:lang="de"><x xml:space="preserve" xmlns:xml="http://www.w3.org/XML/1998/namespace"/></r>`, "xml",
			`<x xml:space="preserve"></x>`,
		},
		{
			"a list is cut at white space of XML", "<x xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"/>", " \t\na\r\n b ",
			`<x xmlns:a="urn:a" xmlns:b="urn:b"></x>`,
		},
		{"and nowhere else", "<x xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"/>", "a\u00a0b\u0085a\u2003b", `<x></x>`},
		{"what is left out leaves its texts around", `<x>1<gone a="">2<gone2/></gone>3</x>`, "", `<x>13</x>`},
		{
			"and takes its declarations along", `<x><gone xmlns:a="urn:a"><a:y/></gone><y xmlns:a="urn:b"><a:z/></y></x>`, "",
			`<x><y><a:z xmlns:a="urn:b"></a:z></y></x>`,
		},
		{"names as they are", `<r xmlns:é="urn:e"><é:x é:名=""/></r>`, "", `<é:x xmlns:é="urn:e" é:名=""></é:x>`},
	} {
		var apex, except xmltree.Node
		parsed(t, c.doc).Root().Walk(func(n xmltree.Node) {
			switch n.Local() {
			case "x":
				apex = n
			case "gone":
				except = n
			}
		})
		require.Equal(t, c.want, string(dsig.Canonical(apex, except, c.list)), c.rule)
	}
}

// A fragment has in scope what was in scope at its place: a PrefixList may
// ask for that.
func TestCanonicalFormOfAFragment(t *testing.T) {
	outer := parsed(t, `<r xmlns:a="urn:a" xmlns="urn:d"><e xmlns:a="urn:A" xmlns:b="urn:b"/></r>`)
	d, err := xmltree.ParseFragment([]byte(`<b:x c="a:y"><z/></b:x>`), roomy, outer.Root().First())
	require.NoError(t, err)
	require.Equal(
		t,
		`<b:x xmlns:b="urn:b" c="a:y"><z xmlns="urn:d"></z></b:x>`,
		string(dsig.Canonical(d.Root(), xmltree.Node{}, "")),
	)
	require.Equal(
		t,
		`<b:x xmlns="urn:d" xmlns:a="urn:A" xmlns:b="urn:b" c="a:y"><z></z></b:x>`,
		string(dsig.Canonical(d.Root(), xmltree.Node{}, "a #default")),
	)
}

// What is written is cut into pieces for the hash; where doesn't matter.
func TestLongTexts(t *testing.T) {
	for _, n := range []int{0, 1, 100, 1000, 4090, 4095, 4096, 4097, 5000, 8191, 8192, 8193, 70_000} {
		for _, unit := range []string{"x", "&amp;", "é", "x&lt;"} {
			text := strings.Repeat(unit, n)
			want := `<x a="` + text + `">` + text + `</x>`
			require.True(t, want == string(dsig.Canonical(parsed(t, want).Root(), xmltree.Node{}, "")), "%d of %s", n, unit)
		}
	}
	name := strings.Repeat("n", 10_000)
	want := `<` + name + `:x xmlns:` + name + `="urn:n"></` + name + `:x>`
	require.Equal(t, want, string(dsig.Canonical(parsed(t, want).Root(), xmltree.Node{}, "")))
}

func parsed(t testing.TB, doc string) *xmltree.Doc {
	t.Helper()
	d, err := xmltree.Parse(doc, roomy)
	require.NoError(t, err, "%q", doc)
	return d
}
