package xmltree

import (
	"strings"
	"unicode/utf8"
)

// class holds the classes of each byte, so that a common one costs one lookup.
var class = func() (c [256]byte) {
	for b := range 256 {
		switch {
		case b == '\t', b == '\n', b == '\r', b == ' ':
			c[b] |= isSpace
		case b < ' ':
			c[b] |= isOdd // not an XML character
		}
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '_':
			c[b] |= nameStart | nameChar
		case b >= '0' && b <= '9', b == '-', b == '.':
			c[b] |= nameChar
		}
	}
	for _, b := range []byte{'&', ']', '>', 0xEF} { // U+FFFE and U+FFFF begin with 0xEF
		c[b] |= isOdd
	}
	for b := range 256 {
		if c[b]&isOdd != 0 && b != ']' && b != '>' || strings.IndexByte("<\"'\t\n\r", byte(b)) >= 0 {
			c[b] |= isOddValue
		}
	}
	return c
}()

// isSpaceRune reports whether r is white space in XML (XML 1.0, 2.3).
func isSpaceRune(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

const (
	isSpace    byte = 1 << iota
	isOdd           // needs a second check in text
	isOddValue      // needs a second check in an attribute's value
	nameStart
	nameChar
)

// checkChars accepts XML characters only (XML 1.0, 2.2). s is at byte at of the
// document.
func checkChars(at int, s string) error {
	for i := range len(s) {
		if class[s[i]]&isOdd != 0 && !charAt(s, i) {
			return invalidChar(at+i, s, i)
		}
	}
	return nil
}

// charAt reports whether a byte of class isOdd begins an XML character. The text is
// valid UTF-8, so only control characters, U+FFFE and U+FFFF are none.
func charAt(s string, i int) bool {
	switch b := s[i]; {
	case b < ' ':
		return false
	case b == 0xEF:
		return !strings.HasPrefix(s[i:], "\uFFFE") && !strings.HasPrefix(s[i:], "\uFFFF")
	}
	return true
}

// isChar is XML 1.0, 2.2.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// ncName returns the length of the NCName at the start of s (Namespaces in XML, 3),
// 0 if there is none.
func ncName(s string) int {
	if s == "" || s[0] < utf8.RuneSelf && class[s[0]]&nameStart == 0 {
		return 0
	}
	i := 0
	for i < len(s) {
		if class[s[i]]&nameChar != 0 {
			i++
			continue
		}
		if s[i] < utf8.RuneSelf {
			return i
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !isNameStart(r) && (i == 0 || !isNameMore(r)) {
			return i
		}
		i += size
	}
	return i
}

// isNameStart and isNameMore are XML 1.0 (fifth edition), 2.3, beyond ASCII.
func isNameStart(r rune) bool {
	switch {
	case r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7,
		r >= 0x370 && r <= 0x1FFF && r != 0x37E,
		r == 0x200C, r == 0x200D,
		r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF,
		r >= 0x3001 && r <= 0xD7FF, r >= 0xF900 && r <= 0xFDCF,
		r >= 0xFDF0 && r <= 0xFFFD, r >= 0x10000 && r <= 0xEFFFF:
		return true
	}
	return false
}

func isNameMore(r rune) bool {
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}
