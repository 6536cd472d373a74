package xmltree_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

var roomy = xmltree.Limits{Bytes: 1 << 22, Depth: 64, Nodes: 100_000, Attributes: 64, Namespaces: 32, Total: 1 << 16}

// accepted means that there is no error.
const accepted xmltree.Reason = -1

func requireKind(t testing.TB, want xmltree.Reason, doc string, err error) {
	t.Helper()
	if want == accepted {
		require.NoError(t, err, "%q", doc)
		return
	}
	var e *xmltree.Error
	require.True(t, errors.As(err, &e), "%q: %v", doc, err)
	require.Equal(t, want, e.Reason, "%q: %v", doc, err)
	require.NotEmpty(t, e.Detail)
	require.Less(t, len(e.Detail), 300)
}

func parse(t testing.TB, doc string) *xmltree.Doc {
	t.Helper()
	d, err := xmltree.Parse(doc, roomy)
	require.NoError(t, err, "%q", doc)
	return d
}

// dump writes a tree in one way, whatever way the document was written in:
// {namespace}name, its attributes in order, and its texts joined.
func dump(n xmltree.Node) string {
	var b strings.Builder
	dumpInto(&b, n)
	return b.String()
}

func dumpInto(b *strings.Builder, n xmltree.Node) {
	d := n.Doc()
	fmt.Fprintf(b, "(%s", n.Name())
	for _, a := range n.Attrs() {
		fmt.Fprintf(b, " {%s}%s=%q", d.URI(a.NS), a.Local, a.Value)
	}
	text := ""
	flush := func() {
		if text != "" {
			fmt.Fprintf(b, " %q", text)
		}
		text = ""
	}
	for pos := n.Pos() + 1; pos < n.End(); pos = d.At(pos).End() {
		c := d.At(pos)
		if c.IsText() {
			text += c.String()
			continue
		}
		flush()
		b.WriteString(" ")
		dumpInto(b, c)
	}
	flush()
	b.WriteString(")")
}
