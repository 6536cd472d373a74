package xmltree

import (
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
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
	return read(text, limits, enc.check, Node{}, Node{})
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
	var out strings.Builder
	out.Grow(min(len(s)/2+len(s)/16, limit) + utf8.UTFMax)
	for i := 0; i < len(s); i += 2 {
		if out.Len() > limit {
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
				return "", syntax(len(normalise(out.String())), "lone surrogate in UTF-16")
			}
			i += 2
		}
		out.WriteRune(c)
	}
	return out.String(), nil
}

func decodeLatin1(s string, limit int) (string, error) {
	var out strings.Builder
	out.Grow(min(len(s)+len(s)/16, limit) + utf8.UTFMax)
	for i := range len(s) {
		if out.Len() > limit {
			return "", tooLarge(limit)
		}
		out.WriteRune(rune(s[i]))
	}
	return out.String(), nil
}

func checkASCII(s string) error {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return syntax(len(normalise(s[:i])), "byte above 0x7F in US-ASCII")
		}
	}
	return nil
}
