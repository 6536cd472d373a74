package xmltree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

func times(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// Each limit is reached, and passed by one.
func TestLimits(t *testing.T) {
	attributes := func(n int) string { return times(n, func(i int) string { return fmt.Sprintf(` a%d=""`, i) }) }
	declarations := func(n int) string {
		return times(n, func(i int) string { return fmt.Sprintf(` xmlns:n%d="urn:%d"`, i, i) })
	}
	small := xmltree.Limits{Bytes: 1000, Depth: 5, Nodes: 10, Attributes: 4, Namespaces: 3, Total: 6}
	for _, c := range []struct {
		name string
		doc  func(n int) string
		at   int
	}{
		{"bytes", func(n int) string { return "<a/>" + repeat(" ", n-4) }, small.Bytes},
		{"bytes of a text", func(n int) string { return "<a>" + repeat("x", n-7) + "</a>" }, small.Bytes},
		{
			"bytes before line ends are one", func(n int) string { return "<a/>" + repeat("\r\n", n/2-2) + repeat(" ", n%2) },
			small.Bytes,
		},
		{"depth", func(n int) string { return repeat("<a>", n) + repeat("</a>", n) }, small.Depth},
		{
			"depth of an empty element", func(n int) string { return repeat("<a>", n-1) + "<a/>" + repeat("</a>", n-1) },
			small.Depth,
		},
		{"nodes: elements", func(n int) string { return "<a>" + repeat("<b/>", n-1) + "</a>" }, small.Nodes},
		{"nodes: elements and texts", func(n int) string { return "<a>x" + repeat("<b/>", n-2) + "</a>" }, small.Nodes},
		{"nodes: white space", func(n int) string { return "<a> " + repeat("<b/>", n-2) + "</a>" }, small.Nodes},
		{"nodes: comments", func(n int) string { return "<a>" + repeat("<!---->", n-1) + "</a>" }, small.Nodes},
		{"nodes: comments before the root", func(n int) string { return repeat("<!---->", n-1) + "<a/>" }, small.Nodes},
		{"nodes: comments after the root", func(n int) string { return "<a/>" + repeat("<!---->", n-1) }, small.Nodes},
		{"nodes: CDATA", func(n int) string { return "<a>" + repeat("<![CDATA[x]]>", n-1) + "</a>" }, small.Nodes},
		{"nodes: empty CDATA", func(n int) string { return "<a>" + repeat("<![CDATA[]]>", n-1) + "</a>" }, small.Nodes},
		{"attributes of one element", func(n int) string { return "<a" + attributes(n) + "/>" }, small.Attributes},
		{"declarations of one element", func(n int) string { return "<a" + declarations(n) + "/>" }, small.Namespaces},
		{
			"attributes in all", func(n int) string { return "<a" + attributes(3) + "><b" + attributes(n-3) + "/></a>" },
			small.Total,
		},
		{"declarations in all", func(n int) string {
			return "<a" + declarations(2) + "><b" + declarations(2) + "/><c" + declarations(n-4) + "/></a>"
		}, small.Total},
	} {
		_, err := xmltree.Parse(c.doc(c.at), small)
		requireKind(t, accepted, c.name, err)
		_, err = xmltree.Parse(c.doc(c.at+1), small)
		requireKind(t, xmltree.Limit, c.name, err)
		require.NotEmpty(t, err.Error())
	}
}

// A document that is something else, or is mostly made of other things, isn't
// read any further: what comes after is not even well-formed.
func TestLimitsOfUnknown(t *testing.T) {
	limits := roomy
	limits.Unknown = 3
	limits.Known = func(ns xmltree.NS, local string) bool { return ns == xmltree.Protocol && local == "a" }
	const known = `<p:a xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol">`
	for doc, want := range map[string]xmltree.Reason{
		known + repeat("<p:a/>", 100) + repeat("<b/>", 3) + "</p:a>": accepted,
		known + repeat("<b/>", 4) + "<<<":                            xmltree.Limit,
		known + repeat("<p:b/>", 4) + "<<<":                          xmltree.Limit,
		known + repeat("<a/>", 4) + "<<<":                            xmltree.Limit,
		"<b>" + repeat("<c>", 3) + "<<<":                             xmltree.Limit,
	} {
		_, err := xmltree.Parse(doc, limits)
		requireKind(t, want, doc, err)
	}
	limits.Root = xmltree.Name{NS: xmltree.Protocol, Local: "a"}
	for doc, want := range map[string]xmltree.Reason{
		known + "<a/></p:a>": accepted,
		"<a><<<":             xmltree.Root,
		`<p:b xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"><<<`: xmltree.Root,
		`<p:a xmlns:p="urn:p"><<<`:                                xmltree.Root,
	} {
		_, err := xmltree.Parse(doc, limits)
		requireKind(t, want, doc, err)
	}
}

// What is in a fragment counts by itself.
func TestLimitsOfAFragment(t *testing.T) {
	around := parse(t, repeat("<a>", 60)+repeat("</a>", 60)).Root()
	_, err := xmltree.ParseFragment([]byte(repeat("<a>", 64)+repeat("</a>", 64)), roomy, around)
	requireKind(t, accepted, "", err)
	_, err = xmltree.ParseFragment([]byte(repeat("<a>", 65)+repeat("</a>", 65)), roomy, around)
	requireKind(t, xmltree.Limit, "", err)
}

// Nothing is quadratic: ten times the document costs at most some ten times the
// allocations. (Time isn't measured here: a busy machine would
// fail it. The benchmarks are for that.)
func TestCostIsLinear(t *testing.T) {
	huge := xmltree.Limits{Bytes: 1 << 26, Depth: 64, Nodes: 1 << 22, Attributes: 64, Namespaces: 32, Total: 1 << 22}
	for name, doc := range map[string]func(n int) string{
		"elements":     func(n int) string { return "<r>" + repeat("<a/>", n) + "</r>" },
		"texts":        func(n int) string { return "<r>" + repeat("<a>x</a>", n) + "</r>" },
		"references":   func(n int) string { return "<r>" + repeat("<a>&amp;</a>", n) + "</r>" },
		"one text":     func(n int) string { return "<r>" + repeat("x&amp;", n) + "</r>" },
		"one value":    func(n int) string { return `<r a="` + repeat("x&amp;\t", n) + `"/>` },
		"CDATA":        func(n int) string { return "<r>" + repeat("<![CDATA[x]]>", n) + "</r>" },
		"comments":     func(n int) string { return "<r>" + repeat("<!-- -->", n) + "</r>" },
		"attributes":   func(n int) string { return "<r>" + repeat(`<a b="" c="&#9;"/>`, n) + "</r>" },
		"declarations": func(n int) string { return "<r>" + repeat(`<p:a xmlns:p="urn:x" xmlns:q="urn:y"/>`, n) + "</r>" },
		"prefixes": func(n int) string {
			return "<r>" + times(n, func(i int) string { return fmt.Sprintf(`<p%d:a xmlns:p%[1]d="urn:%[1]d"/>`, i) }) + "</r>"
		},
		"IDs": func(n int) string {
			return "<r>" + times(n, func(i int) string { return fmt.Sprintf(`<a ID="i%d"/>`, i) }) + "</r>"
		},
	} {
		small, large := doc(1_000), doc(10_000)
		few := testing.AllocsPerRun(1, func() { _, _ = xmltree.Parse(small, huge) })
		many := testing.AllocsPerRun(1, func() { _, _ = xmltree.Parse(large, huge) })
		require.LessOrEqual(t, many, 13*few+100, name)
	}
}
