package xmltree

import "strings"

// beginsDeclaration tells an XML declaration from a processing instruction.
func beginsDeclaration(s string) bool {
	return strings.HasPrefix(s, "<?xml") && len(s) > len("<?xml") && class[s[len("<?xml")]]&isSpace != 0
}

// misplacedDeclaration reports an XML declaration that is not at the start of
// the document, where it must be (XML 1.0, 2.8).
func misplacedDeclaration(at int) error {
	return syntax(at, "XML declaration is not at the start of the document")
}

// declaredEncoding returns the encoding that the declaration of a document in a
// one-byte encoding names, "" if it names none.
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

// declaration reads XML 1.0, 2.8: version 1.0, and an encoding that checkEncoding
// accepts.
func (r *reader) declaration() error {
	if !beginsDeclaration(r.s) {
		return nil // misc refuses another "<?"
	}
	end := strings.Index(r.s, "?>")
	if end < 0 {
		return syntax(0, "XML declaration is not terminated")
	}
	rest := r.s[len("<?xml"):end]
	version, rest, ok := pseudoAttribute(rest, "version")
	if !ok || version != "1.0" {
		return syntax(0, "XML declaration does not say version 1.0")
	}
	if encoding, after, ok := pseudoAttribute(rest, "encoding"); ok {
		if err := r.checkEncoding(encoding); err != nil {
			return err
		}
		rest = after
	}
	if standalone, after, ok := pseudoAttribute(rest, "standalone"); ok {
		if standalone != "yes" && standalone != "no" {
			return syntax(0, "standalone in the XML declaration is neither yes nor no")
		}
		rest = after
	}
	if strings.Trim(rest, blanks) != "" {
		return syntax(0, "unexpected text in the XML declaration")
	}
	r.pos = end + len("?>")
	return nil
}

// blanks are the white space of XML (XML 1.0, 2.3).
const blanks = " \t\r\n"

// pseudoAttribute reads ` name="value"` at the start of s.
func pseudoAttribute(s, name string) (value, rest string, ok bool) {
	trimmed := strings.TrimLeft(s, blanks)
	after, found := strings.CutPrefix(trimmed, name)
	if !found || len(trimmed) == len(s) {
		return "", s, false
	}
	after, found = strings.CutPrefix(strings.TrimLeft(after, blanks), "=")
	after = strings.TrimLeft(after, blanks)
	if !found || after == "" || after[0] != '"' && after[0] != '\'' {
		return "", s, false
	}
	value, rest, ok = strings.Cut(after[1:], after[:1])
	return value, rest, ok
}
