package xmltree_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

func TestNavigation(t *testing.T) {
	d := parse(t, `<r xmlns:p="urn:p">1<p:a x="1" p:x="2">2<b/>3</p:a>4<c/><![CDATA[5]]><a/><p:a/></r>`)
	root := d.Root()
	require.Equal(t, "r", root.Local())
	require.False(t, root.Parent().OK())
	require.False(t, root.Next().OK(), "nothing is beside the root")
	a := root.First()
	require.Equal(t, "{urn:p}a", a.Name())
	require.Equal(t, root, a.Parent())
	b := a.First()
	require.Equal(t, a, b.Parent())
	require.False(t, b.First().OK())
	require.False(t, b.Next().OK(), "not into what is around")
	c := a.Next()
	require.Equal(t, "c", c.Local())
	require.Equal(t, "a", c.Next().Local())
	last := c.Next().Next()
	require.False(t, last.Next().OK())

	require.Equal(t, "145", root.Text())
	require.Equal(t, "23", a.Text(), "without what is in elements in it")
	require.Empty(t, b.Text())

	p, ok := d.FindPrefix("p")
	require.True(t, ok)
	require.Equal(t, p, a.Prefix())
	require.Equal(t, "p", d.PrefixText(p))
	_, ok = d.FindPrefix("q")
	require.False(t, ok)
	require.True(t, a.Is(a.NS(), "a"))
	require.False(t, a.Is(xmltree.None, "a"))
	require.False(t, a.Is(a.NS(), "A"))
	require.False(t, d.At(1).Is(xmltree.None, "1"), "a text is no element")

	v, ok := a.Attr("x")
	require.True(t, ok)
	require.Equal(t, "1", v)
	v, ok = a.AttrNS(a.NS(), "x")
	require.True(t, ok)
	require.Equal(t, "2", v)
	_, ok = a.Attr("y")
	require.False(t, ok)
	_, ok = c.Attr("x")
	require.False(t, ok)
	require.Len(t, a.Attrs(), 2)
	require.Len(t, root.Decls(), 1)
	require.Empty(t, a.Decls())

	var names []string
	root.Walk(func(n xmltree.Node) { names = append(names, n.Local()) })
	require.Equal(t, []string{"r", "a", "b", "c", "a", "a"}, names)
	names = nil
	a.Walk(func(n xmltree.Node) { names = append(names, n.Local()) })
	require.Equal(t, []string{"a", "b"}, names)
}

// What follows none is none, so that code can go on without asking.
func TestNone(t *testing.T) {
	var none xmltree.Node
	require.False(t, none.OK())
	require.False(t, none.First().OK())
	require.False(t, none.Next().OK())
	require.False(t, none.Is(xmltree.None, ""))
	require.Equal(t, none, parse(t, "<a/>").Root().First())
}

// Every namespace that has a number has it in every document.
func TestFixedNamespaces(t *testing.T) {
	for ns, uri := range map[xmltree.NS]string{
		xmltree.Assertion: "urn:oasis:names:tc:SAML:2.0:assertion", xmltree.Protocol: "urn:oasis:names:tc:SAML:2.0:protocol",
		xmltree.Metadata:  "urn:oasis:names:tc:SAML:2.0:metadata",
		xmltree.Signature: "http://www.w3.org/2000/09/xmldsig#", xmltree.Encryption: "http://www.w3.org/2001/04/xmlenc#",
		xmltree.Encryption11:  "http://www.w3.org/2009/xmlenc11#",
		xmltree.ExclusiveC14N: "http://www.w3.org/2001/10/xml-exc-c14n#",
		xmltree.XSI:           "http://www.w3.org/2001/XMLSchema-instance",
	} {
		d := parse(t, `<p:a xmlns:q="urn:q" xmlns:p="`+uri+`"/>`)
		require.Equal(t, ns, d.Root().NS())
		require.Equal(t, uri, d.URI(ns))
		d = parse(t, `<p:a xmlns:p="`+uri+`x"/>`)
		require.NotEqual(t, ns, d.Root().NS())
	}
	require.Equal(t, xmltree.None, parse(t, `<a/>`).Root().NS())
	require.Equal(t, xmltree.XML, parse(t, `<a xml:b=""/>`).Root().Attrs()[0].NS)
}

// With many names and prefixes they are looked up in another way.
func TestManyNamesOfNamespaces(t *testing.T) {
	text := "<r>"
	for range 3 {
		for c := 'a'; c <= 'z'; c++ {
			text += `<` + string(c) + `:e xmlns:` + string(c) + `="urn:` + string(c) + `" ` + string(c) + `:x=""/>`
		}
	}
	d := parse(t, text+"</r>")
	c, n := 'a', 0
	for e := d.Root().First(); e.OK(); e = e.Next() {
		require.Equal(t, "{urn:"+string(c)+"}e", e.Name())
		require.Equal(t, "urn:"+string(c), d.URI(e.Attrs()[0].NS))
		if c++; c > 'z' {
			c = 'a'
		}
		n++
	}
	require.Equal(t, 78, n)
}

// Equal start tags mean the same only where the same namespaces are in scope,
// and each counts.
func TestEqualStartTags(t *testing.T) {
	for doc, want := range map[string]string{
		`<r><s xmlns:p="urn:1"><p:a p:x="&amp;">t</p:a><p:a p:x="&amp;">u</p:a></s><s xmlns:p="urn:2"><p:a p:x="&amp;">v</p:a></s></r>`: `({}r ({}s ({urn:1}a {urn:1}x="&" "t") ({urn:1}a {urn:1}x="&" "u")) ({}s ({urn:2}a {urn:2}x="&" "v")))`,
		`<a><a><a></a></a><a></a><a b=""></a><a b=""></a></a>`:                                                                          `({}a ({}a ({}a)) ({}a) ({}a b="") ({}a b=""))`,
		`<r><a xmlns="urn:1"><b/></a><a xmlns="urn:1"><b/></a><b/></r>`:                                                                 `({}r ({urn:1}a ({urn:1}b)) ({urn:1}a ({urn:1}b)) ({}b))`,
		`<r><p:a xmlns:p="urn:1"></p:a><p:a xmlns:p="urn:1"><p:a></p:a></p:a></r>`:                                                      `({}r ({urn:1}a) ({urn:1}a ({urn:1}a)))`,
	} {
		require.Equal(t, want, strings.ReplaceAll(dump(parse(t, doc).Root()), " {}", " "), doc)
		checkTree(t, parse(t, doc))
	}
	for doc, want := range map[string]xmltree.Reason{
		`<r><a ID="1"></a><a ID="1"></a></r>`:                             xmltree.Duplicate,
		`<r><p:a xmlns:p="urn:1"></p:a><p:a></p:a></r>`:                   xmltree.Syntax,
		`<r><a></a><a></b></r>`:                                           xmltree.Syntax,
		`<r><a></a><a>`:                                                   xmltree.Syntax,
		`<r>` + repeat(`<a b="" c=""></a>`, roomy.Total/2) + `</r>`:       accepted,
		`<r>` + repeat(`<a b="" c=""></a>`, roomy.Total/2+1) + `</r>`:     xmltree.Limit,
		`<r>` + repeat(`<a xmlns:b="urn:b"></a>`, roomy.Total) + `</r>`:   accepted,
		`<r>` + repeat(`<a xmlns:b="urn:b"></a>`, roomy.Total+1) + `</r>`: xmltree.Limit,
		`<r>` + repeat(`<a></a>`, roomy.Nodes-1) + `</r>`:                 accepted,
		`<r>` + repeat(`<a></a>`, roomy.Nodes) + `</r>`:                   xmltree.Limit,
		`<r>` + repeat(`<a>`, 63) + repeat(`</a>`, 63) + `<a></a></r>`:    accepted,
	} {
		_, err := xmltree.Parse(doc, roomy)
		requireKind(t, want, doc[:min(len(doc), 60)], err)
	}
}
