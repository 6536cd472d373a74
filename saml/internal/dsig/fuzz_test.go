package dsig_test

import (
	"crypto"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// FuzzCanonicalise: whatever the reader accepts, the canonical form of each of
// its elements can be read again, by itself, and is its own canonical form.
func FuzzCanonicalise(f *testing.F) {
	g := &generator{Rand: rand.New(rand.NewPCG(9, 0))}
	for range 40 {
		f.Add(g.document(), 0, 1, g.of(lists))
	}
	for _, list := range lists {
		f.Add(rsaSigner().sign(f, good, "_1"), 1, 2, list)
	}
	f.Fuzz(func(t *testing.T, doc string, apex, except int, list string) {
		d, err := xmltree.Parse(doc, roomy)
		if err != nil {
			return
		}
		var all []xmltree.Node
		d.Root().Walk(func(n xmltree.Node) { all = append(all, n) })
		at := all[uint(apex)%uint(len(all))]
		var without xmltree.Node
		if other := all[uint(except)%uint(len(all))]; other != at {
			without = other
		}
		once := dsig.Canonical(at, without, list)
		again, err := xmltree.Parse(string(once), roomy)
		require.NoError(t, err, "%s", once)
		require.Equal(t, string(once), string(dsig.Canonical(again.Root(), xmltree.Node{}, list)))
		if !without.OK() {
			require.Equal(t, outline(at), outline(again.Root()), "canonicalisation keeps the meaning")
		}
	})
}

// outline is what an element says, whatever the prefixes and the order.
func outline(n xmltree.Node) string {
	var b strings.Builder
	d := n.Doc()
	n.Walk(func(m xmltree.Node) {
		b.WriteString(m.Name() + "\x00" + m.Text() + "\x00")
		values := map[string]string{}
		for _, a := range m.Attrs() {
			values["{"+d.URI(a.NS)+"}"+a.Local] = a.Value
		}
		for _, name := range sortedKeys(values) {
			b.WriteString(name + "\x00" + values[name] + "\x00")
		}
	})
	return b.String()
}

// FuzzVerify: any document with any Signature in it. An error is a *dsig.Error
// and comes with nothing; success means that it is the element that was signed
// for this test, saying what it said, and that a second look says the same.
func FuzzVerify(f *testing.F) {
	keys := []crypto.PublicKey{testKeys().rsa.Public(), testKeys().ec["P-256"].Public()}
	for _, s := range signers() {
		f.Add(s.sign(f, good, "_1"))
		s.comments, s.infoComments = withComments, withComments
		doc := s.sign(f, good, "_1")
		f.Add(doc)
		f.Add(strings.Replace(doc, "<v ", "<!-- x --><v ", 1))
		f.Add(strings.Replace(doc, "<ds:Reference ", "<!-- x --><ds:Reference ", 1))
	}
	f.Add(rsaSigner().sign(f, strings.Replace(good, "x</v>", "<![CDATA[x]]></v>", 1), "_1"))
	f.Add(`<ds:Signature xmlns:ds="` + core + `"/>`)
	f.Add(
		`<a ID="_1"><ds:Signature xmlns:ds="` + core +
			`"><ds:SignedInfo/><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature></a>`,
	)
	vectors, err := filepath.Glob("../../../testdata/vectors/*.txt")
	require.NoError(f, err)
	require.Greater(f, len(vectors), 500)
	for _, file := range vectors {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		if head, body, _ := strings.Cut(string(text), "\n\n"); strings.HasSuffix(head, "\nbody: xml") {
			f.Add(strings.TrimSuffix(body, "\n"))
		}
	}
	want := outline(
		find(
			f,
			strings.Replace(good, here, "", 1),
			func(n xmltree.Node) bool { return n.Is(xmltree.Assertion, "Assertion") },
		),
	)
	f.Fuzz(func(t *testing.T, doc string) {
		d, err := xmltree.Parse(doc, roomy)
		if err != nil {
			return
		}
		d.Root().Walk(func(n xmltree.Node) {
			if !n.Is(xmltree.Signature, "Signature") {
				return
			}
			e, err := dsig.Read(n, strict)
			if err != nil {
				require.Nil(t, e)
				requireTyped(t, err)
				return
			}
			signed, err := e.Verify(keys, strict)
			if err != nil {
				require.Zero(t, signed)
				requireTyped(t, err)
				return
			}
			require.Equal(t, n.Parent(), signed.Element())
			methods := [2]string{}
			n.First().Walk(func(m xmltree.Node) {
				switch m.Local() {
				case "CanonicalizationMethod":
					methods[0], _ = m.Attr("Algorithm")
				case "Transform":
					methods[1], _ = m.Attr("Algorithm")
				}
			})
			require.False(t, methods[0] == exclusive+withComments && n.First().HasComment(xmltree.Node{}))
			require.False(t, methods[1] == exclusive+withComments && n.Parent().HasComment(n))
			without := dsig.Canonical(signed.Element(), n, "xs")
			again, err := xmltree.Parse(string(without), roomy)
			require.NoError(t, err)
			require.Equal(t, want, outline(again.Root()))
			second, err := e.Verify(keys, strict)
			require.NoError(t, err)
			require.Equal(t, signed, second)
		})
	})
}

func requireTyped(t *testing.T, err error) {
	t.Helper()
	var e *dsig.Error
	require.True(t, errors.As(err, &e), "%v", err)
	require.NotEmpty(t, e.Detail)
}
