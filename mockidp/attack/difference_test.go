package attack_test

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// difference describes how one document differs from another, without digests and
// signatures, which follow from the rest.
type difference struct{ changes []string }

func (d *difference) note(format string, args ...any) {
	d.changes = append(d.changes, fmt.Sprintf(format, args...))
}

// treeDifference compares documents part by part.
func treeDifference(was, is []byte) (string, error) {
	before, after := etree.NewDocument(), etree.NewDocument()
	if err := before.ReadFromBytes(was); err != nil {
		return "", err
	}
	if err := after.ReadFromBytes(is); err != nil {
		return "", err
	}
	var d difference
	d.elements(before.Root(), after.Root())
	return ids(strings.Join(d.changes, "; "), before.Root()), nil
}

var anID = regexp.MustCompile(`id[0-9a-f]{32}`)

// ids replaces random IDs with words.
func ids(text string, was *etree.Element) string {
	words := map[string]string{was.SelectAttrValue("ID", ""): "{ID of Response}"}
	if assertion := was.SelectElement("Assertion"); assertion != nil {
		words[assertion.SelectAttrValue("ID", "")] = "{ID of Assertion}"
	}
	return anID.ReplaceAllStringFunc(text, func(id string) string { return cmp.Or(words[id], "{new ID}") })
}

func (d *difference) elements(was, is *etree.Element) {
	if was.FullTag() != is.FullTag() {
		d.note("%s is replaced with %s", called(was), written(is))
		return
	}
	d.attributes(was, is)
	if was.Tag == "DigestValue" || was.Tag == "SignatureValue" {
		return
	}
	old, current := parts(was), parts(is)
	if len(old) <= 1 && len(current) <= 1 && allText(old) && allText(current) {
		if was.Text() != is.Text() {
			d.note("%s is changed from %s to %s", called(was), quote(was.Text()), quote(is.Text()))
		}
		return
	}
	d.children(is, old, current)
}

func (d *difference) attributes(was, is *etree.Element) {
	for _, a := range was.Attr {
		switch now := is.SelectAttr(a.FullKey()); {
		case now == nil:
			d.note("%s of %s is removed", a.FullKey(), called(was))
		case a.Key == "URI" && follows(a.Value, was) && follows(now.Value, is):
		case now.Value != a.Value:
			d.note("%s of %s is changed from %s to %s", a.FullKey(), called(was), quote(a.Value), quote(now.Value))
		}
	}
	for _, a := range is.Attr {
		if was.SelectAttr(a.FullKey()) == nil {
			d.note("%s=%s is added to %s", a.FullKey(), quote(a.Value), called(was))
		}
	}
}

// follows reports whether a Reference's URI refers to the ID around it.
func follows(uri string, reference *etree.Element) bool {
	signed := reference.FindElement("../../..")
	return signed != nil && uri == "#"+signed.SelectAttrValue("ID", "")
}

// children pairs the children of two elements so that as few as possible differ.
func (d *difference) children(parent *etree.Element, was, is []etree.Token) {
	score := make([][]int, len(was)+1)
	for i := range score {
		score[i] = make([]int, len(is)+1)
	}
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			score[i][j] = max(score[i+1][j], score[i][j+1])
			if s := likeness(was[i], is[j]); s > 0 {
				score[i][j] = max(score[i][j], s+score[i+1][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(was) || j < len(is); {
		switch {
		case i < len(was) && j < len(is) && paired(score, i, j, likeness(was[i], is[j])):
			if old, ok := was[i].(*etree.Element); ok {
				d.elements(old, is[j].(*etree.Element))
			}
			i, j = i+1, j+1
		case j < len(is) && (i == len(was) || score[i][j] == score[i][j+1]):
			d.note("%s is added to %s, %s", written(is[j]), called(parent), place(is, j))
			j++
		default:
			d.note("%s of %s is removed", name(was[i]), called(parent))
			i++
		}
	}
}

// paired reports whether the best pairing has the children i and j in a pair.
func paired(score [][]int, i, j, likeness int) bool {
	return likeness > 0 && score[i][j] == likeness+score[i+1][j+1]
}

// likeness is 0 for parts of different kinds. It is higher for parts that
// differ less.
func likeness(a, b etree.Token) int {
	if written(a) == written(b) {
		return 3
	}
	old, ok := a.(*etree.Element)
	current, ok2 := b.(*etree.Element)
	if ok && ok2 && old.FullTag() == current.FullTag() {
		return 1
	}
	return 0
}

func place(all []etree.Token, at int) string {
	switch {
	case at == len(all)-1:
		return "at the end"
	case at == 0:
		return "at the start"
	}
	if el, ok := all[at+1].(*etree.Element); ok {
		return "before " + called(el)
	}
	return "before " + name(all[at+1])
}

// parts returns the children, without blank text.
func parts(el *etree.Element) []etree.Token {
	var out []etree.Token
	for _, c := range el.Child {
		if text, ok := c.(*etree.CharData); ok && strings.TrimSpace(text.Data) == "" && len(el.Child) > 1 {
			continue
		}
		out = append(out, c)
	}
	return out
}

func allText(tokens []etree.Token) bool {
	return !slices.ContainsFunc(tokens, func(t etree.Token) bool {
		_, ok := t.(*etree.CharData)
		return !ok
	})
}

// called returns the name of an element, with its parent's name where the local name
// is ambiguous.
func called(el *etree.Element) string {
	out := el.Tag
	parent := el.Parent()
	if parent == nil || parent.Tag == "" {
		return out
	}
	if siblings := parent.SelectElements(el.Tag); len(siblings) > 1 {
		out = [...]string{"the first ", "the second ", "the third ", "the fourth "}[min(3, slices.Index(siblings, el))] + out
	}
	of := called(parent)
	inEntity := el.Tag == "IDPSSODescriptor" || el.Tag == "SingleSignOnService"
	if el.Tag == "Issuer" || el.Tag == "Signature" || inEntity && strings.Contains(of, " ") {
		out += " of " + of
	}
	return out
}

func name(t etree.Token) string {
	if el, ok := t.(*etree.Element); ok {
		return el.Tag
	}
	return written(t)
}

// written returns a part as XML, without its certificates.
func written(t etree.Token) string {
	doc := etree.NewDocument()
	if el, ok := t.(*etree.Element); ok {
		doc.AddChild(el.Copy())
		for _, long := range doc.FindElements("//X509Certificate") {
			long.SetText("…")
		}
	} else if c, ok := t.(*etree.Comment); ok {
		doc.AddChild(etree.NewComment(c.Data))
	} else if c, ok := t.(*etree.CharData); ok {
		return quote(c.Data)
	}
	text, err := doc.WriteToString()
	if err != nil {
		return err.Error()
	}
	return printable(text)
}

// textDifference describes the texts between the common start and the common end of
// two texts, extended to whole words.
func textDifference(was, is string) string {
	head, tail := 0, 0
	for head < min(len(was), len(is)) && was[head] == is[head] {
		head++
	}
	for tail < min(len(was), len(is))-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	// An insertion begins with its own delimiter, not with that of the text
	// after it.
	inserted := len(was) == head+tail
	for inserted && head > 0 && is[head-1] == is[len(is)-tail-1] && is[head] != '<' && is[head-1] != '>' {
		head, tail = head-1, tail+1
	}
	before, after := lastWord(is[:head]), firstWord(is[len(is)-tail:])
	switch old, current := was[head:len(was)-tail], is[head:len(is)-tail]; {
	case old == "" && tail == 0:
		return "the text " + quote(current) + " is added at the end of the document"
	case old == "" && head == 0:
		return "the text " + quote(current) + " is added at the start of the document"
	case old == "":
		return "the text " + quote(current) + " is inserted between " + quote(before) + " and " + quote(after)
	case current == "":
		return "the text " + quote(old) + " after " + quote(before) + " is removed"
	}
	if !strings.HasSuffix(before, ">") {
		head -= len(before)
	}
	if !strings.HasPrefix(after, "<") {
		tail -= len(after)
	}
	return "the text " + quote(was[head:len(was)-tail]) + " is changed to " + quote(is[head:len(is)-tail])
}

// lastWord returns the tag, the attribute or the text at the end of s.
func lastWord(s string) string {
	at := strings.LastIndexAny(strings.TrimRight(s, "> "), "<> ")
	if at >= 0 && s[at] == '<' {
		return s[at:]
	}
	return s[at+1:]
}

// firstWord returns the tag, the attribute or the text at the start of s.
func firstWord(s string) string {
	at := strings.IndexAny(strings.TrimLeft(s, "< "), "<> ")
	if at < 0 {
		return s
	}
	at += len(s) - len(strings.TrimLeft(s, "< "))
	if s[at] == '>' {
		at++
	}
	return s[:at]
}

// quote returns a Go string, cut if it is long.
func quote(s string) string {
	if len(s) > 150 {
		return quote(s[:40]) + " … " + quote(s[len(s)-20:])
	}
	q, quotes := strconv.QuoteToASCII(s), strings.Count(s, `"`)
	if quotes == 0 || strings.ContainsRune(s, '`') || strings.Count(q, `\`) > quotes {
		return q
	}
	return "`" + s + "`"
}

// printable returns s on one line.
func printable(s string) string {
	if q := strconv.Quote(s); strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`) != s {
		return q
	}
	return s
}
