package xmltree

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// charData reads text between tags (XML 1.0, 2.4).
func (r *reader) charData(at piece) error {
	raw := r.str(at)
	from, references, plain := int(at.off), false, true
	for i := range len(raw) {
		if class[raw[i]]&isOdd == 0 {
			continue
		}
		switch {
		case raw[i] == '&':
			references, plain = true, false
		case raw[i] == '>':
			plain = false
		case raw[i] == ']' && strings.HasPrefix(raw[i:], "]]>"):
			return syntax(from+i, `"]]>" in text`)
		case !charAt(raw, i):
			return invalidChar(from+i, raw, i)
		}
	}
	if references {
		var err error
		if at, err = r.expand(at, false); err != nil {
			return err
		}
	}
	return r.text(from, at, plain)
}

// str is Doc.str while the document is still being read.
func (r *reader) str(p piece) string {
	if p.off < 0 {
		return string(r.extra[^p.off : ^p.off+p.len])
	}
	return r.s[p.off : p.off+p.len]
}

// cdata reads a CDATA section (XML 1.0, 2.7), which is text like any other.
func (r *reader) cdata() error {
	from := r.pos + len("<![CDATA[")
	body := r.s[from:]
	end := strings.Index(body, "]]>")
	if end < 0 {
		return syntax(r.pos, "CDATA section is not terminated")
	}
	body = body[:end]
	if err := checkChars(from, body); err != nil {
		return err
	}
	r.pos += len("<![CDATA[") + end + len("]]>")
	if body == "" {
		return r.count()
	}
	return r.text(from, piece{int32(from), int32(len(body))}, false)
}

// text adds a text that begins at byte from. plain means that nothing in it needs
// escaping.
func (r *reader) text(from int, s piece, plain bool) error {
	if err := r.count(); err != nil {
		return err
	}
	e := r.top()
	at := int32(len(r.d.nodes))
	r.d.nodes = append(r.d.nodes, node{str: s, parent: e.at, end: at + 1, isText: true, plain: plain})
	if isBlank(r.str(s)) {
		return nil
	}
	e.hasText = true
	return r.checkComment(from)
}

func isBlank(s string) bool {
	for i := range len(s) {
		if class[s[i]]&isSpace == 0 {
			return false
		}
	}
	return true
}

// expand replaces the references in a text or in an attribute's value, whose literal
// white space becomes blanks (XML 1.0, 3.3.3). Only the five predefined entities are
// known (XML 1.0, 4.6).
func (r *reader) expand(written piece, attribute bool) (piece, error) {
	from, raw := len(r.extra), r.str(written)
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '&':
			length, err := r.reference(int(written.off)+i, raw[i+1:])
			if err != nil {
				return piece{}, err
			}
			i += length
		case attribute && class[c]&isSpace != 0:
			r.extra = append(r.extra, ' ')
		default:
			r.extra = append(r.extra, c)
		}
	}
	return piece{^int32(from), int32(len(r.extra) - from)}, nil
}

// longest bounds a reference: "#x10FFFF;" with some leading zeros.
const longest = 32

// reference appends the character of the reference at the start of s, and returns
// its length. Its ampersand is at byte at and not in s.
func (r *reader) reference(at int, s string) (int, error) {
	end := strings.IndexByte(s[:min(len(s), longest)], ';')
	if end <= 0 {
		return 0, syntax(at, `"&" does not begin a reference`)
	}
	name := s[:end]
	switch name {
	case "lt":
		r.extra = append(r.extra, '<')
	case "gt":
		r.extra = append(r.extra, '>')
	case "amp":
		r.extra = append(r.extra, '&')
	case "quot":
		r.extra = append(r.extra, '"')
	case "apos":
		r.extra = append(r.extra, '\'')
	default:
		char, ok := numeric(name)
		if !ok {
			if name[0] == '#' {
				return 0, named(Syntax, at, "invalid character reference %s", name)
			}
			return 0, named(Syntax, at, "unknown entity %s", name)
		}
		r.extra = utf8.AppendRune(r.extra, char)
	}
	return end + 1, nil
}

// numeric reads "#38" and "#x26" (XML 1.0, 4.1).
func numeric(name string) (rune, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	if !ok || digits == "" || digits[0] == '+' || digits[0] == '-' || strings.IndexByte(digits, '_') >= 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > 0x10FFFF || !isChar(rune(n)) {
		return 0, false
	}
	return rune(n), true
}
