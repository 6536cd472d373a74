package xmltree

import (
	"math"
	"strings"
	"unicode/utf16"
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

// ParseEncoded reads a document as [Parse] does, in one of the encodings that
// metadata comes in: UTF-8; UTF-16, by its byte order mark; ISO-8859-1 and
// US-ASCII, by the XML declaration (XML 1.0, 4.3.3 and appendix F). A
// declaration that contradicts the mark is refused: two readers could see two
// documents. The limits are those of the decoded text.
func ParseEncoded(raw []byte, limits Limits) (*Doc, error) {
	text, enc, err := decode(raw, min(limits.Bytes, math.MaxInt32))
	if err != nil {
		return nil, err
	}
	return read(text, limits, func(name string) error { return enc.check(name) }, Node{}, Node{})
}

// decode gives a document as UTF-8, at most limit bytes of it. A byte order
// mark stays, as U+FEFF.
func decode(raw []byte, limit int) (string, encoding, error) {
	if len(raw)/2 > limit { // no encoding needs more than two bytes for one of UTF-8
		return "", 0, tooLarge(limit)
	}
	s := string(raw)
	enc, err := sniff(s)
	if err != nil {
		return "", 0, err
	}
	switch enc {
	case inUTF16LE, inUTF16BE:
		s, err = decodeUTF16(s, enc == inUTF16BE, limit)
	case inLatin1:
		s, err = decodeLatin1(s, limit)
	case inASCII:
		err = checkASCII(s)
	}
	switch {
	case err != nil:
		return "", 0, err
	case len(s) > limit:
		return "", 0, tooLarge(limit)
	case !utf8.ValidString(s): // in UTF-8 only
		return "", 0, invalidUTF8(s)
	}
	return s, enc, nil
}

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

func decodeUTF16(s string, bigEndian bool, limit int) (string, error) {
	if len(s)%2 != 0 {
		return "", syntax(whole, "UTF-16 with an odd number of bytes")
	}
	unit := func(i int) rune {
		if bigEndian {
			return rune(s[i])<<8 | rune(s[i+1])
		}
		return rune(s[i+1])<<8 | rune(s[i])
	}
	out := make([]byte, 0, min(len(s)/2+len(s)/16, limit)+utf8.UTFMax)
	for i := 0; i < len(s); i += 2 {
		if len(out) > limit {
			return "", tooLarge(limit)
		}
		c := unit(i)
		if utf16.IsSurrogate(c) {
			if i+2 < len(s) {
				c = utf16.DecodeRune(c, unit(i+2))
			} else {
				c = utf8.RuneError
			}
			if c == utf8.RuneError {
				return "", syntax(len(normalise(string(out))), "lone surrogate in UTF-16")
			}
			i += 2
		}
		out = utf8.AppendRune(out, c)
	}
	return string(out), nil
}

func decodeLatin1(s string, limit int) (string, error) {
	out := make([]byte, 0, min(len(s)+len(s)/16, limit)+utf8.UTFMax)
	for i := range len(s) {
		if len(out) > limit {
			return "", tooLarge(limit)
		}
		out = utf8.AppendRune(out, rune(s[i]))
	}
	return string(out), nil
}

func checkASCII(s string) error {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return syntax(len(normalise(s[:i])), "byte above 0x7F in US-ASCII")
		}
	}
	return nil
}

// checkUTF8 is for what must be UTF-8, as a SAML response is. A refusal names the encoding that the
// document claims to have.
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
