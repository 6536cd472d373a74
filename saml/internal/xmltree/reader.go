package xmltree

import (
	"math"
	"strings"
)

// Parse reads a document in UTF-8. Its error is a [*Error].
func Parse(doc string, limits Limits) (*Doc, error) { return parse(doc, limits, Node{}, Node{}) }

func parse(doc string, limits Limits, around, signed Node) (*Doc, error) {
	if len(doc) > min(limits.Bytes, math.MaxInt32) {
		return nil, tooLarge(limits.Bytes)
	}
	if err := checkUTF8(doc); err != nil {
		return nil, err
	}
	return read(doc, limits, onlyUTF8, around, signed)
}

func tooLarge(limit int) *Error { return limitError(whole, "document is larger than %d bytes", limit) }

// onlyUTF8 checks the encoding that the XML declaration of a response names.
func onlyUTF8(declared string) error {
	if strings.EqualFold(declared, "UTF-8") {
		return nil
	}
	return mustBeUTF8(declared)
}

// read reads a text that is valid UTF-8 and within limits.Bytes. checkEncoding
// checks the encoding that the XML declaration names.
func read(doc string, limits Limits, checkEncoding func(declared string) error, around, signed Node) (*Doc, error) {
	r := &reader{limits: limits, d: new(Doc), checkEncoding: checkEncoding}
	r.s = normalise(doc)
	r.d.src = r.s
	r.d.outer = around.d
	r.prepare(around, signed)
	if err := r.document(); err != nil {
		return nil, err
	}
	r.d.extra = string(r.extra)
	return r.d, nil
}

// normalise removes the byte order mark and normalises line ends, before anything
// else is read (XML 1.0, 2.11).
func normalise(s string) string {
	s = strings.TrimPrefix(s, "\uFEFF")
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// reader reads a document once.
type reader struct {
	s     string
	pos   int
	extra []byte // becomes Doc.extra
	d     *Doc

	limits        Limits
	checkEncoding func(declared string) error

	nodes   int // including comments
	unknown int

	open  []open
	scope []NS   // by Prefix: its meaning here, or undeclared
	undo  []Decl // what the prefixes declared in open elements meant before
}

// open is an element whose end tag was not read yet.
type open struct {
	at      int32
	undo    int    // length of reader.undo before its declarations
	name    string // as written
	hasText bool
}

const undeclared NS = -1

// prepare allocates memory for the document, and puts the namespaces around a
// fragment into scope.
func (r *reader) prepare(around, signed Node) {
	d := r.d
	// Counting is cheap, growing is not. There can't be more attributes and
	// declarations than equals signs. The slices grow for documents that are denser
	// than those of SAML.
	d.nodes = make([]node, 0, min(strings.Count(r.s, "<")+1, len(r.s)/24+32, r.limits.Nodes))
	equals := strings.Count(r.s, "=")
	d.attrs = make([]attr, 0, min(equals, len(r.s)/64+32, r.limits.Total))
	d.decls = make([]Decl, 0, min(equals, len(r.s)/64+8, r.limits.Total))
	d.uris.all = append(make([]string, 0, firstFree+6), fixed[:]...)
	d.prefixes.all = append(make([]string, 0, 8), "", "xml")
	d.ids.all = make([]id, 0, 8)
	r.scope = append(make([]NS, 0, 8), None, XML)
	r.open = make([]open, 0, 16)
	r.undo = make([]Decl, 0, 16)
	if around.OK() {
		r.surround(around, signed)
	}
}

// document reads XML 1.0, 2.1: an optional declaration, comments, one element,
// comments.
func (r *reader) document() error {
	if err := r.declaration(); err != nil {
		return err
	}
	if err := r.misc(); err != nil {
		return err
	}
	if r.pos >= len(r.s) {
		return syntax(r.pos, "no root element")
	}
	if err := r.startTag(); err != nil {
		return err
	}
	for len(r.open) > 0 {
		if err := r.content(); err != nil {
			return err
		}
	}
	if err := r.misc(); err != nil {
		return err
	}
	if r.pos < len(r.s) {
		return syntax(r.pos, "more than one root element")
	}
	return nil
}

// misc skips white space and comments outside the root element.
func (r *reader) misc() error {
	for {
		r.space()
		rest := r.s[r.pos:]
		switch {
		case strings.HasPrefix(rest, "<!--"):
			if err := r.comment(); err != nil {
				return err
			}
		case strings.HasPrefix(rest, "<?"):
			if len(r.d.nodes) == 0 && beginsDeclaration(rest) {
				return misplacedDeclaration(r.pos)
			}
			return r.instruction()
		case strings.HasPrefix(rest, "<!"):
			return r.directive()
		case rest != "" && rest[0] != '<':
			return syntax(r.pos, "text outside the root element")
		default:
			return nil
		}
	}
}

// content reads the next part of an open element: text, then a tag.
func (r *reader) content() error {
	tag := strings.IndexByte(r.s[r.pos:], '<')
	if tag < 0 {
		return named(Syntax, len(r.s), "unexpected end of input in element %s", r.top().name)
	}
	if tag > 0 {
		raw := piece{int32(r.pos), int32(tag)}
		r.pos += tag
		if err := r.charData(raw); err != nil {
			return err
		}
	}
	rest := r.s[r.pos:]
	if len(rest) < 2 {
		return r.endInTag()
	}
	switch rest[1] {
	case '/':
		return r.endTag()
	case '!':
		if strings.HasPrefix(rest, "<!--") {
			at := r.pos
			if err := r.comment(); err != nil {
				return err
			}
			r.d.nodes[r.top().at].comment = true
			return r.checkComment(at)
		}
		if strings.HasPrefix(rest, "<![CDATA[") {
			return r.cdata()
		}
		return r.directive()
	case '?':
		return r.instruction()
	}
	return r.startTag()
}

func (r *reader) instruction() error {
	return syntax(r.pos, "processing instruction is not allowed")
}

func (r *reader) directive() error {
	return syntax(r.pos, "DOCTYPE or other markup declaration is not allowed")
}

func (r *reader) endInTag() error { return syntax(len(r.s), "unexpected end of input in tag") }

func (r *reader) top() *open { return &r.open[len(r.open)-1] }

func (r *reader) count() error {
	if r.nodes++; r.nodes > r.limits.Nodes {
		return limitError(r.pos, "more than %d nodes", r.limits.Nodes)
	}
	return nil
}

// checkComment refuses a comment and text in one element, of which the second is at
// byte at: one reader would join the text around the comment, another take only the
// text before it. Limits.Comments can allow them.
func (r *reader) checkComment(at int) error {
	e := r.top()
	n := &r.d.nodes[e.at]
	if !e.hasText || !n.comment || r.limits.Comments != nil && r.limits.Comments(n.ns, r.str(n.str)) {
		return nil
	}
	return named(Text, at, "comment in the text of element %s", e.name)
}

func (r *reader) space() int {
	from := r.pos
	for r.pos < len(r.s) && class[r.s[r.pos]]&isSpace != 0 {
		r.pos++
	}
	return r.pos - from
}

// comment reads XML 1.0, 2.5.
func (r *reader) comment() error {
	if err := r.count(); err != nil {
		return err
	}
	body := r.s[r.pos+len("<!--"):]
	end := strings.Index(body, "--")
	if end < 0 {
		return syntax(r.pos, "comment is not terminated")
	}
	from := r.pos + len("<!--")
	if !strings.HasPrefix(body[end:], "-->") {
		return syntax(from+end, `"--" inside a comment`)
	}
	if err := checkChars(from, body[:end]); err != nil {
		return err
	}
	r.pos += len("<!--") + end + len("-->")
	return nil
}
