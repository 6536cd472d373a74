package xmltree_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// Limits.Comments names the elements in whose text comments are dropped. It is
// about their own text, not about that of elements in them.
func TestCommentsThatAreDropped(t *testing.T) {
	limits := roomy
	limits.Comments = func(ns xmltree.NS, local string) bool {
		return ns == xmltree.Signature && local == "X509Certificate"
	}
	wrap := func(text string) string {
		return `<r ` + dsNS + `><ds:X509Certificate>` + text + `</ds:X509Certificate></r>`
	}
	for text, want := range map[string]string{
		"MI<!-- x -->IC":               "MIIC",
		"<!-- x -->MI":                 "MI",
		"MI<!-- x -->":                 "MI",
		"M<!----><![CDATA[I]]><!---->": "MI",
		"<!-- x -->":                   "",
	} {
		d, err := xmltree.Parse(wrap(text), limits)
		requireKind(t, accepted, text, err)
		require.Equal(t, want, d.Root().First().Text())
		require.True(t, d.Root().HasComment(xmltree.Node{}))
		_, err = xmltree.Parse(wrap(text), roomy)
		if want != "" {
			requireKind(t, xmltree.Text, text, err)
		}
	}
	for _, doc := range []string{
		wrap("<x>MI<!-- -->IC</x>"),
		`<r><X509Certificate>MI<!-- -->IC</X509Certificate></r>`,
		`<ds:X509Data ` + dsNS + `>x<!-- --><ds:X509Certificate/></ds:X509Data>`,
	} {
		_, err := xmltree.Parse(doc, limits)
		requireKind(t, xmltree.Text, doc, err)
	}
}

// Comments leave the tree, but not the knowledge of where they were.
func TestHasComment(t *testing.T) {
	for doc, want := range map[string]struct{ in, outside bool }{
		`<r><x/></r>`:                                        {false, false},
		`<!-- --><r><x/></r><!-- -->`:                        {false, false},
		`<r><!-- --><x/></r>`:                                {false, false},
		`<r><x/><!-- --></r>`:                                {false, false},
		`<r><x></x><!-- --><y/></r>`:                         {false, false},
		`<r><y><!-- --></y><x/><y><!-- --></y></r>`:          {false, false},
		`<r><x><!-- --></x></r>`:                             {true, true},
		`<r><x><gone/><!-- --></x></r>`:                      {true, true},
		`<r><x><!-- --><gone/></x></r>`:                      {true, true},
		`<r><x><y>t</y><y><z><!-- --></z></y></x></r>`:       {true, true},
		`<r><x><gone><!-- --></gone></x></r>`:                {true, false},
		`<r><x><gone><y><!-- --></y></gone>t</x></r>`:        {true, false},
		`<r><x><gone><!-- --></gone><y><!-- --></y></x></r>`: {true, true},
		`<x><![CDATA[<!-- -->]]></x>`:                        {false, false},
		`<x a="&lt;!-- --&gt;">&lt;!-- --></x>`:              {false, false},
	} {
		var x, gone xmltree.Node
		parse(t, doc).Root().Walk(func(n xmltree.Node) {
			switch n.Local() {
			case "x":
				x = n
			case "gone":
				gone = n
			}
		})
		require.Equal(t, want.in, x.HasComment(xmltree.Node{}), doc)
		require.Equal(t, want.outside, x.HasComment(gone), doc)
		require.False(t, x.HasComment(x), doc)
	}
}
