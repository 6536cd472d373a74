package saml_test

import "bytes"

// The mutations below work on the text of a document, with a tokeniser of
// their own that knows nothing of the reader under test and forgives
// everything: what it gets wrong is only another mutation.

// cut is a piece of a document, [from, to).
type cut struct{ from, to int }

// mark is an attribute in a tag: all of it with the white space before, its
// name, and its value without quotes.
type mark struct{ all, name, value cut }

type tag struct {
	all   cut
	name  cut
	marks []mark
	kind  byte // 's' start, 'e' end, '/' both in one
}

// span is an element: where it is, and where its tags are.
type span struct {
	all, inner cut
	start, end int // position in outline.tags; the same for an empty element
}

// outline is where the parts of a document are.
type outline struct {
	tags  []tag
	spans []span
	texts []cut
	open  []int
}

func (o *outline) read(doc []byte) {
	o.tags, o.spans, o.texts, o.open = o.tags[:0], o.spans[:0], o.texts[:0], o.open[:0]
	for pos := 0; pos < len(doc); {
		next := bytes.IndexByte(doc[pos:], '<')
		if next < 0 {
			return
		}
		if next > 0 {
			o.texts = append(o.texts, cut{pos, pos + next})
		}
		pos += next
		if skip := markup(doc[pos:]); skip > 0 {
			pos += skip
			continue
		}
		pos = o.tag(doc, pos)
	}
}

// markup is how long a comment, a CDATA section or the like is.
func markup(rest []byte) int {
	for _, m := range [][2]string{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"}} {
		if bytes.HasPrefix(rest, []byte(m[0])) {
			if end := bytes.Index(rest, []byte(m[1])); end >= 0 {
				return end + len(m[1])
			}
			return len(rest)
		}
	}
	return 0
}

func (o *outline) tag(doc []byte, from int) int {
	if len(o.tags) < cap(o.tags) {
		o.tags = o.tags[:len(o.tags)+1] // keeps the marks' room
	} else {
		o.tags = append(o.tags, tag{})
	}
	at := len(o.tags) - 1
	t := &o.tags[at]
	t.kind, t.marks = 's', t.marks[:0]
	pos := from + 1
	if pos < len(doc) && doc[pos] == '/' {
		t.kind = 'e'
		pos++
	}
	t.name.from = pos
	pos = name(doc, pos)
	t.name.to = pos
	for pos < len(doc) && doc[pos] != '>' {
		before := pos
		for pos < len(doc) && blank(doc[pos]) {
			pos++
		}
		m := mark{name: cut{from: pos}}
		pos = name(doc, pos)
		m.name.to = pos
		for pos < len(doc) && (blank(doc[pos]) || doc[pos] == '=') {
			pos++
		}
		if pos < len(doc) && (doc[pos] == '"' || doc[pos] == '\'') && m.name.to > m.name.from {
			end := bytes.IndexByte(doc[pos+1:], doc[pos])
			if end < 0 {
				pos = len(doc)
				break
			}
			m.value = cut{pos + 1, pos + 1 + end}
			pos += end + 2
			m.all = cut{before, pos}
			t.marks = append(t.marks, m)
			continue
		}
		if pos < len(doc) && doc[pos] == '/' {
			t.kind = '/'
		}
		if pos == before || pos < len(doc) && doc[pos] == '/' {
			pos++
		}
	}
	pos = min(pos+1, len(doc))
	t.all = cut{from, pos}
	switch {
	case t.kind == '/':
		o.spans = append(o.spans, span{t.all, cut{t.all.to, t.all.to}, at, at})
	case t.kind == 's':
		o.open = append(o.open, at)
	case len(o.open) > 0:
		start := o.open[len(o.open)-1]
		o.open = o.open[:len(o.open)-1]
		o.spans = append(o.spans, span{cut{o.tags[start].all.from, pos}, cut{o.tags[start].all.to, from}, start, at})
	}
	return pos
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func name(doc []byte, pos int) int {
	for pos < len(doc) && !blank(doc[pos]) && bytes.IndexByte([]byte("=/>\"'<"), doc[pos]) < 0 {
		pos++
	}
	return pos
}

// place names the part of a message that a position is in.
func (o *outline) place(doc []byte, pos int) string {
	best, size := "outside the root", len(doc)+1
	for _, s := range o.spans {
		if s.all.from > pos || pos >= s.all.to || s.all.to-s.all.from >= size {
			continue
		}
		_, local, found := bytes.Cut(doc[o.tags[s.start].name.from:o.tags[s.start].name.to], []byte(":"))
		if !found {
			continue
		}
		switch string(local) {
		case "Response", "Assertion", "Signature", "SignedInfo", "SignatureValue", "KeyInfo", "Status":
			best, size = string(local), s.all.to-s.all.from
		}
	}
	return best
}
