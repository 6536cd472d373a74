package oktaapi

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/beevik/etree"
)

// line is one line of the message viewer.
type line struct {
	Depth   int
	Attr    bool
	Name    string
	Value   string // shortened
	What    string // its meaning, and what the service provider should check
	Section string
}

// The limits of the viewer, because an attack can make a message of any size and depth.
const (
	maxLines = 600
	maxDepth = 40
)

// explain returns the lines of a message, or nil if it isn't XML.
func explain(raw []byte) []line {
	doc := etree.NewDocument()
	if doc.ReadFromBytes(raw) != nil || doc.Root() == nil {
		return nil
	}
	var out []line
	walk(&out, doc.Root(), 0)
	return out
}

func walk(out *[]line, el *etree.Element, depth int) {
	if len(*out) >= maxLines || depth > maxDepth {
		return
	}
	own := lookUp(el, "")
	own.Depth, own.Name, own.Value = depth, el.Tag, brief(strings.TrimSpace(el.Text()))
	*out = append(*out, own)
	if el.Tag == "Artifact" {
		*out = append(*out, artifactLines(el.Text(), depth+1)...)
	}
	for _, a := range el.Attr {
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			continue
		}
		l := lookUp(el, a.Key)
		l.Depth, l.Attr, l.Name, l.Value = depth+1, true, a.Key, brief(a.Value)
		*out = append(*out, l)
	}
	for _, child := range el.ChildElements() {
		walk(out, child, depth+1)
	}
}

// brief shortens long values, such as certificates.
func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 120 && !strings.Contains(s, " ") && !strings.Contains(s, "://") {
		return s[:40] + "…" + s[len(s)-8:]
	}
	return cut(s)
}

// lookUp returns the explanation of an element or of its attribute. One for this parent precedes the general one.
func lookUp(el *etree.Element, attr string) line {
	name := el.Tag
	if attr != "" {
		name += "@" + attr
	}
	for _, key := range []string{el.Parent().Tag + "/" + name, name, "@" + attr} {
		if l, ok := explanations()[key]; ok {
			return l
		}
	}
	return line{}
}

// explanationRows holds the explanations, with tabs between "Element", "Parent/Element", "Element@Attribute",
// "Parent/Element@Attribute" or "@Attribute", the section of the standard, and the sentence.
//
//go:embed explanations.tsv
var explanationRows string

var explanations = sync.OnceValue(func() map[string]line {
	out := map[string]line{}
	for row := range strings.Lines(explanationRows) {
		f := strings.Split(strings.TrimSpace(row), "\t")
		out[f[0]] = line{Section: f[1], What: f[2]}
	}
	return out
})
