package xmltree_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

func fragment(t *testing.T, text string, around xmltree.Node) (*xmltree.Doc, error) {
	t.Helper()
	return xmltree.ParseFragment([]byte(text), roomy, around)
}

// A fragment has the namespaces in scope where it will be taken to stand.
func TestFragmentScope(t *testing.T) {
	outer := parse(
		t,
		`<r xmlns="urn:d" xmlns:a="urn:a" xmlns:b="urn:b"><e xmlns="" xmlns:b="urn:B" xmlns:c="urn:c"/><f/></r>`,
	)
	e := outer.Root().First()
	f := e.Next()
	for _, c := range []struct {
		around    xmltree.Node
		text, out string
	}{
		{e, `<x/>`, `({}x)`},
		{e, `<a:x b:y="" c:z=""/>`, `({urn:a}x {urn:B}y="" {urn:c}z="")`},
		{e, `<x xmlns="urn:x"><b:y xmlns:b="urn:n"/><b:z/></x>`, `({urn:x}x ({urn:n}y) ({urn:B}z))`},
		{f, `<x b:y=""/>`, `({urn:d}x {urn:b}y="")`},
		{f, `<x xmlns=""/>`, `({}x)`},
		{outer.Root(), `<?xml version="1.0"?><b:x xml:lang=""/>`, `({urn:b}x {http://www.w3.org/XML/1998/namespace}lang="")`},
		{xmltree.Node{}, `<x/>`, `({}x)`},
	} {
		d, err := fragment(t, c.text, c.around)
		requireKind(t, accepted, c.text, err)
		require.Equal(t, c.out, dump(d.Root()))
		require.False(t, d.Root().Parent().OK(), "it is a document of its own")
	}
	_, err := fragment(t, `<c:x/>`, f)
	requireKind(t, xmltree.Syntax, "", err)
	_, err = fragment(t, `<x xmlns:a=""/>`, e)
	requireKind(t, xmltree.Syntax, "", err)

	// And a fragment in a fragment those around both.
	d, err := fragment(t, `<x xmlns:i="urn:i" xmlns:a="urn:A"><y/></x>`, e)
	require.NoError(t, err)
	inner, err := fragment(t, `<i:z a:a="" b:b=""/>`, d.Root().First())
	require.NoError(t, err)
	require.Equal(t, `({urn:i}z {urn:A}a="" {urn:B}b="")`, dump(inner.Root()))
	require.Empty(t, outer.Context())
	require.NotEmpty(t, inner.Context())
}

// It is one element, well-formed by itself.
func TestFragmentSyntax(t *testing.T) {
	outer := parse(t, `<r/>`).Root()
	for _, text := range []string{
		``, ` `, `x`, `<a>`, `<a/><b/>`, `</r><r>`, `<a/>x`, `<!DOCTYPE a><a/>`, `<?x?><a/>`, "<a>\xff</a>", `<a></r>`,
	} {
		d, err := fragment(t, text, outer)
		requireKind(t, xmltree.Syntax, text, err)
		require.Nil(t, d)
	}
	_, err := fragment(t, `<a>x<!-- --></a>`, outer)
	requireKind(t, xmltree.Text, "", err)
	d, err := fragment(t, "\ufeff <!-- --><a/>\r\n", outer)
	require.NoError(t, err)
	require.Equal(t, "a", d.Root().Local())
}

// Its IDs are unique in what is around it too.
func TestFragmentIDs(t *testing.T) {
	outer := parse(t, `<r ID="x" `+dsNS+`><ds:Signature Id="s"/><e/></r>`)
	for text, want := range map[string]xmltree.Reason{
		`<a ID="x"/>`:               xmltree.Duplicate,
		`<a xml:id="x"/>`:           xmltree.Duplicate,
		`<a><b Id="x"/></a>`:        xmltree.Duplicate,
		`<a id="s"/>`:               xmltree.Duplicate,
		`<ds:Signature Id="x"/>`:    xmltree.Duplicate,
		`<ds:Signature Id="s"/>`:    accepted, // pysaml2, encrypted and signed twice
		`<a ID="y"/>`:               accepted,
		`<a ID="y"><b ID="y"/></a>`: xmltree.Duplicate,
	} {
		_, err := fragment(t, text, outer.Root())
		requireKind(t, want, text, err)
	}
	require.False(t, outer.HasID("y"), "a document never changes")
}
