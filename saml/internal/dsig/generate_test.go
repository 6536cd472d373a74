package dsig_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// generator writes documents that use namespaces in every way there is.
type generator struct {
	*rand.Rand
	b        strings.Builder
	elements int
	plain    bool // only what every peer gets right; see the goxmldsig test
}

var (
	prefixes = []string{"a", "b", "c", "A", "a1", "a-b", "_", "saml", "ds", "xs", "é", "ß.x", "名", "xmlish"}
	uris     = []string{
		"urn:a",
		"urn:b",
		"urn:a",
		"urn:B",
		"http://e.example/?x=1;y=%20",
		"urn:a:b",
		"urn:oasis:names:tc:SAML:2.0:assertion",
		"http://www.w3.org/2000/09/xmldsig#",
	}
	locals = []string{"e", "E", "e1", "e-1", "e.1", "_e", "élan", "名前", "Assertion", "Signature", "z"}
	texts  = []string{
		"x",
		" ",
		"\n  ",
		"a&amp;b",
		"&lt;",
		"&gt;",
		"> ",
		"\"",
		"'",
		"&quot;&apos;",
		"&#13;",
		"&#xD;&#10;",
		"\t",
		"&#9;",
		"é",
		"€",
		"𝄞",
		"&#x1D11E;",
		"]",
		"]]&gt;",
		"\r\n",
		"\r",
		"<![CDATA[<&>]]>",
		"<![CDATA[ ]]>",
		"<![CDATA[]]>",
		"<![CDATA[\r\n]]>",
		"\u0085",
		"\u2028",
		"\u00a0",
		"\u007f",
		"\ufffd",
		"&#x10FFFF;",
		"&#32;",
	}
	values = []string{
		"",
		"x",
		" ",
		"a&amp;b",
		"&lt;",
		">",
		"&gt;",
		"&quot;",
		"&apos;",
		"'",
		"\t",
		"\n",
		"\r\n",
		"&#9;",
		"&#10;",
		"&#13;",
		"&#xD;&#xA;",
		"é",
		"𝄞",
		"  a  b ",
		"\u0085\u2028",
		"urn:a",
	}
)

func (g *generator) of(s []string) string { return s[g.IntN(len(s))] }

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

func (g *generator) document() string {
	g.b.Reset()
	g.elements = 0
	if g.chance(4) {
		g.b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->")
	}
	g.element(map[string]string{"": "", "xml": "XML"}, 0)
	if g.chance(4) {
		g.b.WriteString("\n<!-- y -->\n")
	}
	return g.b.String()
}

// element writes one. scope says what each prefix stands for; nothing but the
// default can stand for nothing.
func (g *generator) element(scope map[string]string, depth int) {
	g.elements++
	scope = maps.Clone(scope)
	var parts []string
	declared := map[string]bool{}
	for range g.IntN(4) {
		p, uri := g.of(prefixes), g.of(uris)
		if g.chance(3) {
			p = ""
		}
		if p == "" && g.chance(2) {
			uri = ""
		}
		if g.chance(20) {
			p, uri = "xml", "http://www.w3.org/XML/1998/namespace"
		}
		if g.plain && (p == "" || p == "xml") || declared[p] {
			continue
		}
		declared[p] = true
		if p == "xml" {
			parts = append(parts, `xmlns:xml="`+uri+`"`)
			continue
		}
		scope[p] = uri
		if p != "" {
			p = ":" + p
		}
		parts = append(parts, fmt.Sprintf(`xmlns%s="%s"`, p, uri))
	}
	known := slices.Sorted(maps.Keys(scope))
	parts = append(parts, g.attributes(scope, known)...)
	g.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	name := g.of(locals)
	if p := g.of(known); p != "" && p != "xml" {
		name = p + ":" + name
	}
	g.b.WriteString("<" + name)
	for _, p := range parts {
		g.b.WriteString(g.of([]string{" ", " ", "\n", "\t "}) + p)
	}
	if g.chance(6) {
		g.b.WriteString("/>")
		return
	}
	g.b.WriteString(">")
	g.content(scope, depth)
	g.b.WriteString("</" + name + g.of([]string{"", "", " "}) + ">")
}

func (g *generator) attributes(scope map[string]string, known []string) []string {
	var parts []string
	used := map[string]bool{}
	for range g.IntN(5) {
		p, local := g.of(known), g.of(locals)
		if g.plain && p != "" {
			continue
		}
		full := local
		if p != "" {
			full = p + ":" + local
			local = scope[p] + " " + local
		}
		if used[local] || p == "" && strings.EqualFold(local, "id") {
			continue
		}
		used[local] = true
		value := ""
		for range g.IntN(3) {
			if v := g.of(values); !g.plain || !strings.ContainsAny(v, "\t\r\n") {
				value += v
			}
		}
		quote := `"`
		if !strings.Contains(value, "'") && g.chance(3) {
			quote = "'"
			value = strings.ReplaceAll(value, "&quot;", `"`)
		}
		parts = append(parts, full+g.of([]string{"=", "=", " = "})+quote+value+quote)
	}
	return parts
}

// content writes texts or comments, for beside each other they are refused.
func (g *generator) content(scope map[string]string, depth int) {
	comments := g.chance(4)
	for range g.IntN(5) {
		switch {
		case depth < 8 && g.elements < 40 && g.chance(2):
			g.element(scope, depth+1)
		case comments:
			g.b.WriteString(g.of([]string{"<!-- x -->", "<!---->", "\n", " "}))
		default:
			g.b.WriteString(g.of(texts))
		}
	}
}

// subtree is one thing to canonicalise.
type subtree struct {
	Doc    string   `json:"doc"`
	Apex   int      `json:"apex"`   // which element, in document order
	Except int      `json:"except"` // likewise, a child of it; -1 for none
	List   []string `json:"list"`

	apex, except xmltree.Node
}

var roomy = xmltree.Limits{Bytes: 1 << 20, Depth: 64, Nodes: 10_000, Attributes: 64, Namespaces: 32, Total: 10_000}

// subtrees writes a document and picks some of its elements, each with or
// without a child to leave out and a PrefixList.
func (g *generator) subtrees(n int) ([]subtree, error) {
	text := g.document()
	d, err := xmltree.Parse(text, roomy)
	if err != nil {
		return nil, fmt.Errorf("%w in %q", err, text)
	}
	var all []xmltree.Node
	number := map[xmltree.Node]int{}
	d.Root().Walk(func(e xmltree.Node) {
		number[e] = len(all)
		all = append(all, e)
	})
	var out []subtree
	for range n {
		s := subtree{Doc: text, Apex: g.IntN(len(all)), Except: -1}
		if !all[s.Apex].First().OK() && g.chance(2) {
			s.Apex = g.IntN(s.Apex + 1) // nearer to the root
		}
		s.apex = all[s.Apex]
		if child := s.apex.First(); child.OK() && g.chance(2) {
			for child.Next().OK() && g.chance(2) {
				child = child.Next()
			}
			s.except, s.Except = child, number[child]
		}
		if g.chance(2) {
			s.List = []string{}
			for range g.IntN(4) {
				s.List = append(s.List, g.of(append([]string{"#default", "#default", "unknown", "xml"}, prefixes...)))
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
