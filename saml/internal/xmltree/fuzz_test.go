package xmltree_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// FuzzParse: whatever the input, no panic; an error is an *Error and comes with
// no document; an accepted document is a consistent tree, and written out and
// read again is the same.
func FuzzParse(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	for _, piece := range pieces {
		f.Add("<a>" + piece + "</a>")
		f.Add(`<a b="` + piece + `"/>`)
		f.Add("<a" + piece + "/>")
	}
	f.Fuzz(func(t *testing.T, doc string) {
		d, err := xmltree.Parse(doc, roomy)
		if err != nil {
			require.Nil(t, d)
			var e *xmltree.Error
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Detail)
			require.True(t, e.Offset >= -1 && e.Offset <= len(doc), "%v", e)
			return
		}
		checkTree(t, d)
		want := dump(d.Root())
		again, err := xmltree.Parse(write(d.Root()), roomy)
		require.NoError(t, err, "%q", write(d.Root()))
		require.Equal(t, want, dump(again.Root()))
		fragment, err := xmltree.ParseFragment([]byte(doc), roomy, xmltree.Node{})
		require.NoError(t, err)
		require.Equal(t, want, dump(fragment.Root()))
	})
}

// checkTree checks that every way through the tree agrees.
func checkTree(t *testing.T, d *xmltree.Doc) {
	t.Helper()
	root := d.Root()
	require.Zero(t, root.Pos())
	elements := 0
	root.Walk(func(n xmltree.Node) {
		elements++
		require.False(t, n.IsText())
		require.Greater(t, n.End(), n.Pos())
		if parent := n.Parent(); parent.OK() {
			require.True(t, parent.Pos() < n.Pos() && n.End() <= parent.End())
		} else {
			require.Equal(t, root, n)
		}
		for _, a := range n.WrittenAttrs() {
			got, ok := n.AttrNS(a.NS, a.Local)
			require.True(t, ok)
			require.Equal(t, a.Value, got)
			require.Equal(t, a.Prefix == xmltree.DefaultPrefix, a.NS == xmltree.None)
			if a.Plain {
				require.False(t, strings.ContainsAny(a.Value, "&<\"\t\n\r"))
			}
		}
		for c := n.First(); c.OK(); c = c.Next() {
			require.Equal(t, n, c.Parent())
		}
	})
	counted := 0
	for pos := range root.End() {
		n := d.At(pos)
		if n.IsText() {
			require.NotEmpty(t, n.String())
			if n.Plain() {
				require.False(t, strings.ContainsAny(n.String(), "&<>\r"))
			}
			continue
		}
		counted++
	}
	require.Equal(t, counted, elements)
}

var escape = strings.NewReplacer(
	"&",
	"&amp;",
	"<",
	"&lt;",
	">",
	"&gt;",
	`"`,
	"&quot;",
	"\t",
	"&#9;",
	"\n",
	"&#10;",
	"\r",
	"&#13;",
)

// write writes an element as XML, with the prefixes and declarations it had.
func write(n xmltree.Node) string {
	d := n.Doc()
	var b strings.Builder
	name := func(p xmltree.Prefix, local string) string {
		if p == xmltree.DefaultPrefix {
			return local
		}
		return d.PrefixText(p) + ":" + local
	}
	b.WriteString("<" + name(n.Prefix(), n.Local()))
	for _, decl := range n.Decls() {
		b.WriteString(
			" " + strings.TrimSuffix("xmlns:"+d.PrefixText(decl.Prefix), ":") + `="` + escape.Replace(d.URI(decl.NS)) + `"`,
		)
	}
	for _, a := range n.WrittenAttrs() {
		b.WriteString(" " + name(a.Prefix, a.Local) + `="` + escape.Replace(a.Value) + `"`)
	}
	b.WriteString(">")
	for pos := n.Pos() + 1; pos < n.End(); pos = d.At(pos).End() {
		if c := d.At(pos); c.IsText() {
			b.WriteString(escape.Replace(c.String()))
		} else {
			b.WriteString(write(c))
		}
	}
	b.WriteString("</" + name(n.Prefix(), n.Local()) + ">")
	return b.String()
}
