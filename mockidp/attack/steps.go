package attack

import (
	"bytes"
	"encoding/base64"
	"maps"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/beevik/etree"
)

// A stage is a point on a document's way from the identity provider to the
// service provider.
type stage int

const (
	setup  stage = iota // before there is a document
	before              // the tree, not yet signed
	signed              // the signature under attack, just made
	inside              // the plaintext of the assertion, as text
	sealed              // the tree with the assertion encrypted, the Response not yet signed
	after               // the tree, all signed
	around              // the tree of an ArtifactResponse around the Response, not yet signed
	text                // the document as text
	posted              // the form value
	stages
	none stage = -1
)

var stageNames = [stages]string{"setup", "before", "signed", "inside", "sealed", "after", "around", "text", "posted"}

// change is the steps that change a document, stage by stage.
type change [stages][]func(*draft)

// changes are the steps that also change the twin, and those of the attack alone.
type changes struct{ base, attack change }

func (c *changes) steps(twin bool) *change {
	if twin {
		return &c.base
	}
	return &c.attack
}

// step is a step of catalogue.txt.
type step struct {
	at   stage // unless a marker sets another one
	args int   // the number of words; -1 for any number
	do   func(d *draft, a []string)
}

// steps lists the steps by name.
var steps = func() map[string]step {
	all := make(map[string]step)
	for _, some := range []map[string]step{
		treeSteps, textSteps, wrappingSteps, signatureSteps, encryptionSteps, metadataSteps, logoutSteps, artifactSteps,
	} {
		maps.Copy(all, some)
	}
	return all
}()

// treeSteps change elements. The first word is the path of one.
var treeSteps = map[string]step{
	"set":      {before, 3, func(d *draft, a []string) { d.find(a[0]).CreateAttr(a[1], a[2]) }},
	"set-time": {before, 3, func(d *draft, a []string) { d.find(a[0]).CreateAttr(a[1], d.at(duration(a[2]))) }},
	"edit": {before, 3, func(d *draft, a []string) {
		el := d.find(a[0])
		el.CreateAttr(a[1], d.changed(a[2], el.SelectAttrValue(a[1], "")))
	}},
	"unset": {before, 2, func(d *draft, a []string) { d.find(a[0]).RemoveAttr(a[1]) }},
	"text":  {before, 2, func(d *draft, a []string) { d.find(a[0]).SetText(a[1]) }},
	"edit-text": {before, 2, func(d *draft, a []string) {
		el := d.find(a[0])
		el.SetText(d.changed(a[1], el.Text()))
	}},
	"comment":      {before, 2, func(d *draft, a []string) { d.find(a[0]).InsertChildAt(0, etree.NewComment(a[1])) }},
	"comment-last": {before, 2, func(d *draft, a []string) { d.find(a[0]).AddChild(etree.NewComment(a[1])) }},

	"remove":  {before, 1, func(d *draft, a []string) { detach(d.find(a[0])) }},
	"clear":   {before, 1, func(d *draft, a []string) { d.find(a[0]).Child = nil }},
	"add":     {before, 2, func(d *draft, a []string) { d.find(a[0]).AddChild(d.parse(a[1])) }},
	"prepend": {before, 2, func(d *draft, a []string) { d.find(a[0]).InsertChildAt(0, d.parse(a[1])) }},
	"before":  {before, 2, func(d *draft, a []string) { insertBefore(d.find(a[0]), d.parse(a[1])) }},
	"swap":    {before, 2, func(d *draft, a []string) { swap(d.find(a[0]), d.parse(a[1])) }},
	// Adds to Extensions, the part of a Response that may have any content.
	"extend": {before, 1, func(d *draft, a []string) { d.extensions().AddChild(d.parse(a[0])) }},

	"move":        {before, 2, func(d *draft, a []string) { d.find(a[1]).AddChild(detach(d.find(a[0]))) }},
	"move-before": {before, 2, func(d *draft, a []string) { insertBefore(d.find(a[1]), detach(d.find(a[0]))) }},
	"move-last": {before, 1, func(d *draft, a []string) {
		el := d.find(a[0])
		el.Parent().AddChild(detach(el))
	}},
	"copy-into": {before, 2, func(d *draft, a []string) { d.find(a[1]).AddChild(d.find(a[0]).Copy()) }},
	// A number of copies, before the element.
	"copy": {before, 2, func(d *draft, a []string) {
		el := d.find(a[0])
		for range number(a[1]) {
			insertBefore(el, el.Copy())
		}
	}},
	// Another prefix and namespace for all elements of a path, not for their children.
	"rename": {before, 2, func(d *draft, a []string) {
		for _, el := range d.tree.Root().FindElements(path(a[0])) {
			el.Space = a[1]
			if a[1] != "" {
				el.CreateAttr("xmlns:"+a[1], "urn:example:"+a[1])
			}
		}
	}},
	"retag":     {before, 2, func(d *draft, a []string) { retag(d.find(a[0]), a[1]) }},
	"attribute": {before, 2, func(d *draft, a []string) { d.addAttribute(a[0], a[1]) }},
	"forge":     {before, 0, func(d *draft, _ []string) { d.forge() }},
}

// retag gives an element another name.
func retag(el *etree.Element, name string) { el.Space, el.Tag, _ = strings.Cut(name, ":") }

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// textSteps change texts: the document, the plaintext, or the form value.
var textSteps = map[string]step{
	"document": {text, 1, func(d *draft, a []string) { d.text = rewritten(a[0], d.text) }},
	"post":     {posted, 1, func(d *draft, a []string) { d.text = rewritten(a[0], d.text) }},
	"replace":  {text, -1, replace},
	// The content of an element of the first signature.
	"content": {text, 2, func(d *draft, a []string) {
		start, end := "<ds:"+a[0]+">", "</ds:"+a[0]+">"
		head, rest, ok := strings.Cut(d.text, start)
		value, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			d.fail("the document has no %s", a[0])
		}
		d.text = head + start + rewritten(a[1], value) + end + tail
	}},
	"flood": {text, -1, flood},
	// Makes the base64 end with padding.
	"pad": {text, 0, func(d *draft, _ []string) { d.text += strings.Repeat("\n", (4-len(d.text)%3)%3) }},

	// Lines as in MIME, separated by a text.
	"fold": {posted, 1, func(d *draft, a []string) {
		var out strings.Builder
		for len(d.text) > 76 {
			out.WriteString(d.text[:76] + a[0])
			d.text = d.text[76:]
		}
		d.text = out.String() + d.text
	}},
	// A text and a number of copies of another one, deflated as in HTTP-Redirect.
	"deflate": {posted, 3, func(d *draft, a []string) {
		d.text = Deflated([]byte(rewritten(a[0], d.document) + strings.Repeat(a[1], number(a[2]))))
	}},
}

// replace replaces the first occurrence of a text or, with a third word, the first
// one after that word.
func replace(d *draft, a []string) {
	head, tail := "", d.text
	if len(a) > 2 {
		i := max(0, strings.Index(d.text, a[2]))
		head, tail = d.text[:i], d.text[i:]
	}
	if !strings.Contains(tail, a[0]) {
		d.fail("the document does not hold %q", a[0])
	}
	d.text = head + strings.Replace(tail, a[0], a[1], 1)
}

// flood adds Extensions before the Status. The words are a number of rounds,
// and then pairs of a text and its number of copies in each round. "#" in a
// text is the number of the copy.
func flood(d *draft, a []string) {
	var round strings.Builder
	for i := 1; i < len(a); i += 2 {
		for n := range number(a[i+1]) {
			round.WriteString(strings.ReplaceAll(a[i], "#", strconv.Itoa(n)))
		}
	}
	all := strings.Repeat(round.String(), number(a[0]))
	replace(d, []string{"<saml2p:Status>", "<saml2p:Extensions>" + all + "</saml2p:Extensions><saml2p:Status>"})
}

func utf16Bytes(s string, big bool) []byte {
	var out bytes.Buffer
	for _, u := range append([]uint16{0xfeff}, utf16.Encode([]rune(s))...) {
		if big {
			out.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			out.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return out.Bytes()
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// Deflated returns a message as in the HTTP-Redirect binding (Bindings 3.4.4.1), in
// base64. The HTTP-POST binding does not deflate messages. Deflated zeros are a bomb.
func Deflated(text []byte) string { return encode(deflated(text)) }
