package xmltree

import (
	"math"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	encUTF8    = "UTF-8"
	encASCII   = "US-ASCII"
	encLatin1  = "ISO-8859-1"
	encUTF16LE = "UTF-16LE"
	encUTF16BE = "UTF-16BE"
)

// declaredNames are what an XML declaration may call each encoding, in lower
// case. A declaration of UTF-16LE under that byte order mark is accepted: RFC
// 2781, 3.3 forbids the mark there, but both say the same.
var declaredNames = map[string][]string{
	encUTF8:    {"utf-8", "utf8"}, // Python writes the second
	encASCII:   {"us-ascii", "ascii"},
	encLatin1:  {"iso-8859-1", "iso_8859-1", "latin1"},
	encUTF16LE: {"utf-16", "utf-16le"},
	encUTF16BE: {"utf-16", "utf-16be"},
}

func isNameOf(encoding, declared string) bool {
	return slices.Contains(declaredNames[encoding], strings.ToLower(declared))
}

// ParseEncoded reads a document as [Parse] does, in one of the encodings of
// metadata: UTF-8; UTF-16, by its byte order mark; ISO-8859-1 and US-ASCII, by
// the XML declaration (XML 1.0, 4.3.3 and appendix F). A declaration that
// contradicts the mark is refused, because two readers could see two documents.
// The limits are those of the decoded text.
func ParseEncoded(raw []byte, limits Limits) (*Doc, error) {
	text, encoding, err := decode(string(raw), min(limits.Bytes, math.MaxInt32))
	if err != nil {
		return nil, err
	}
	check := func(declared string) error { return checkDeclared(encoding, declared) }
	return read(text, limits, check, Node{}, Node{})
}

// decode returns a document as UTF-8, at most limit bytes of it. A byte order
// mark stays, as U+FEFF.
func decode(s string, limit int) (text, encoding string, err error) {
	if len(s)/2 > limit { // no encoding needs more than two bytes for one of UTF-8
		return "", "", tooLarge(limit)
	}
	if encoding, err = sniff(s); err != nil {
		return "", "", err
	}
	switch encoding {
	case encUTF16LE, encUTF16BE:
		if len(s)%2 != 0 {
			return "", "", syntax(whole, "UTF-16 with an odd number of bytes")
		}
		low, high := 0, 1
		if encoding == encUTF16BE {
			low, high = 1, 0
		}
		s, err = decodeUnits(s, 2, func(i int) rune { return rune(s[i+high])<<8 | rune(s[i+low]) }, limit)
	case encLatin1:
		s, err = decodeUnits(s, 1, func(i int) rune { return rune(s[i]) }, limit)
	case encASCII:
		if i := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
			err = syntax(len(normalise(s[:i])), "byte above 0x7F in US-ASCII")
		}
	}
	switch {
	case err != nil:
		return "", "", err
	case len(s) > limit:
		return "", "", tooLarge(limit)
	case !utf8.ValidString(s): // in UTF-8 only
		return "", "", invalidUTF8(s)
	}
	return s, encoding, nil
}

// decodeUnits decodes units of one byte (ISO-8859-1) or of two (UTF-16).
func decodeUnits(s string, size int, unit func(i int) rune, limit int) (string, error) {
	var out strings.Builder
	out.Grow(min(len(s)/size+len(s)/16, limit) + utf8.UTFMax)
	for i := 0; i < len(s); i += size {
		if out.Len() > limit {
			return "", tooLarge(limit)
		}
		c := unit(i)
		if utf16.IsSurrogate(c) {
			i += size
			if i < len(s) {
				c = utf16.DecodeRune(c, unit(i))
			}
			if i >= len(s) || c == utf8.RuneError {
				return "", syntax(len(normalise(out.String())), "lone surrogate in UTF-16")
			}
		}
		out.WriteRune(c)
	}
	return out.String(), nil
}

// sniff chooses the encoding: by the byte order mark, else by the declaration,
// else UTF-8.
func sniff(s string) (string, error) {
	marked := markedEncoding(s)
	switch marked {
	case encUTF16LE, encUTF16BE:
		return marked, nil
	case "UTF-32":
		return "", notSupported(marked)
	case "UTF-16":
		return "", syntax(whole, "UTF-16 without a byte order mark")
	}
	declared := declaredEncoding(s)
	switch {
	case declared == "":
		return encUTF8, nil
	case marked == "" && isNameOf(encLatin1, declared):
		return encLatin1, nil
	case marked == "" && isNameOf(encASCII, declared):
		return encASCII, nil
	}
	return encUTF8, checkDeclared(encUTF8, declared)
}

// markedEncoding returns the encoding that the first bytes show, by a byte order
// mark or by a zero byte, which no document in a one-byte encoding begins with.
// It returns "" if they show none.
func markedEncoding(s string) string {
	switch {
	case strings.HasPrefix(s, "\xFF\xFE\x00\x00"), strings.HasPrefix(s, "\x00\x00\xFE\xFF"):
		return "UTF-32"
	case strings.HasPrefix(s, "\xFF\xFE"):
		return encUTF16LE
	case strings.HasPrefix(s, "\xFE\xFF"):
		return encUTF16BE
	case strings.HasPrefix(s, "\uFEFF"):
		return encUTF8
	case len(s) >= 2 && (s[0] == 0 || s[1] == 0):
		return "UTF-16"
	}
	return ""
}

// checkDeclared refuses the name of another encoding in the declaration.
func checkDeclared(encoding, declared string) error {
	if isNameOf(encoding, declared) {
		return nil
	}
	for other := range declaredNames {
		if isNameOf(other, declared) {
			return named(Syntax, whole, "the XML declaration says %s, but the document is in "+encoding, declared)
		}
	}
	return notSupported(declared)
}

func notSupported(name string) error {
	return named(Syntax, whole,
		"encoding %s is not supported: use UTF-8, UTF-16 with a byte order mark, or ISO-8859-1", name)
}

// checkUTF8 refuses a response that is not UTF-8. The error names the encoding
// that the document claims to be in.
func checkUTF8(s string) error {
	if name := markedEncoding(s); name != "" && name != encUTF8 {
		return mustBeUTF8(name)
	}
	if utf8.ValidString(s) {
		return nil
	}
	if name := declaredEncoding(s); name != "" && !isNameOf(encUTF8, name) {
		return mustBeUTF8(name)
	}
	return invalidUTF8(s)
}

func mustBeUTF8(name string) error {
	return named(Syntax, whole, "the document is in %s; a SAML response must be UTF-8", name)
}

// invalidUTF8 reports where a text is not UTF-8. White space before a
// declaration of another encoding may be the cause, and is reported first.
func invalidUTF8(s string) error {
	s = normalise(s)
	if declaration := strings.TrimLeft(s, blanks); declaration != s && beginsDeclaration(declaration) {
		return misplacedDeclaration(len(s) - len(declaration))
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
