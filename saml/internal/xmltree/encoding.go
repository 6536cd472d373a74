package xmltree

import (
	"strings"
	"unicode/utf8"
)

// encoding is how the bytes of a document stand for characters.
type encoding int

const (
	inUTF8 encoding = iota
	inASCII
	inLatin1
	inUTF16LE
	inUTF16BE
)

// marked tells an encoding by the first bytes: by a byte order mark, or by a
// zero byte, which no document in a one-byte encoding begins with.
func marked(s string) (name string, mark bool) {
	switch {
	case strings.HasPrefix(s, "\xFF\xFE\x00\x00"), strings.HasPrefix(s, "\x00\x00\xFE\xFF"):
		return "UTF-32", true
	case strings.HasPrefix(s, "\xFF\xFE"):
		return "UTF-16LE", true
	case strings.HasPrefix(s, "\xFE\xFF"):
		return "UTF-16BE", true
	case strings.HasPrefix(s, "\uFEFF"):
		return "UTF-8", true
	case len(s) >= 2 && (s[0] == 0 || s[1] == 0):
		return "UTF-16", false
	}
	return "", false
}

// sniff chooses the encoding: by the mark, else by the declaration, else it is
// UTF-8.
func sniff(s string) (encoding, error) {
	name, mark := marked(s)
	switch {
	case name == "UTF-16LE":
		return inUTF16LE, nil
	case name == "UTF-16BE":
		return inUTF16BE, nil
	case mark && name != "UTF-8":
		return 0, notSupported(name)
	case name == "UTF-16":
		return 0, syntax(whole, "UTF-16 without a byte order mark")
	}
	switch declared := declaredEncoding(s); {
	case declared == "":
		return inUTF8, nil
	case name == "" && inLatin1.is(declared):
		return inLatin1, nil
	case name == "" && inASCII.is(declared):
		return inASCII, nil
	default:
		return inUTF8, inUTF8.check(declared)
	}
}

// declaredNames are what a declaration may call each encoding, in lower case. A
// declaration of UTF-16LE under that byte order mark is accepted: RFC 2781, 3.3
// forbids the mark there, but both say the same.
var declaredNames = map[encoding][]string{
	inUTF8:    {"utf-8", "utf8"}, // Python writes the second
	inASCII:   {"us-ascii", "ascii"},
	inLatin1:  {"iso-8859-1", "iso_8859-1", "latin1"},
	inUTF16LE: {"utf-16", "utf-16le"},
	inUTF16BE: {"utf-16", "utf-16be"},
}

func (e encoding) is(declared string) bool {
	for _, name := range declaredNames[e] {
		if strings.EqualFold(declared, name) {
			return true
		}
	}
	return false
}

func (e encoding) String() string {
	return [...]string{inUTF8: "UTF-8", inASCII: "US-ASCII", inLatin1: "ISO-8859-1", inUTF16LE: "UTF-16LE", inUTF16BE: "UTF-16BE"}[e]
}

// check refuses the name of another encoding in the declaration.
func (e encoding) check(declared string) error {
	if e.is(declared) {
		return nil
	}
	for other := range declaredNames {
		if other.is(declared) {
			return named(Syntax, whole, "the XML declaration says %s, but the document is in "+e.String(), declared)
		}
	}
	return notSupported(declared)
}

func notSupported(name string) error {
	return named(Syntax, whole, "encoding %s is not supported: use UTF-8, UTF-16 with a byte order mark, or ISO-8859-1", name)
}

// declaredEncoding is what a document in a one-byte encoding says that it is
// in; "" if it says nothing.
func declaredEncoding(s string) string {
	s = strings.TrimPrefix(s, "\uFEFF")
	if !beginsDeclaration(s) {
		return ""
	}
	text, _, _ := strings.Cut(s, "?>")
	_, rest, _ := pseudoAttribute(text[len("<?xml"):], "version")
	name, _, _ := pseudoAttribute(rest, "encoding")
	return name
}

// checkUTF8 is for what must be UTF-8, as a SAML response is. A refusal names the
// encoding that the document claims to have.
func checkUTF8(s string) error {
	if name, _ := marked(s); name != "" && name != "UTF-8" {
		return mustBeUTF8(name)
	}
	if utf8.ValidString(s) {
		return nil
	}
	if name := declaredEncoding(s); name != "" && !inUTF8.is(name) {
		return mustBeUTF8(name)
	}
	return invalidUTF8(s)
}

func mustBeUTF8(name string) error {
	return named(Syntax, whole, "the document is in %s; a SAML response must be UTF-8", name)
}

// invalidUTF8 says what is wrong with a text that is no UTF-8. A declaration
// that does not count because something is before it may be the cause.
func invalidUTF8(s string) error {
	s = normalise(s)
	if err := misplacedDeclaration(s); err != nil {
		return err
	}
	at := 0
	for at < len(s) {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return syntax(at, "invalid UTF-8")
}
