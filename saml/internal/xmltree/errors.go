package xmltree

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reason says why a document was refused.
type Reason int

const (
	Syntax    Reason = iota // not well-formed, or not accepted
	Limit                   // past a limit
	Text                    // a comment inside a text value
	Duplicate               // an ID that is not unique
	Root                    // another root than Limits.Root
)

// Error is the error of this package.
type Error struct {
	Reason Reason
	Detail string // what is wrong; names from the document are quoted and cut short
	// Name is the name of the element, attribute, prefix, entity, ID or encoding
	// that is wrong, "" if there is none. For Root it is an expanded name.
	Name string
	// Offset is the byte of the error in the text that was read: in UTF-8, without
	// a byte order mark, with line ends normalised (XML 1.0, 2.11). -1 means the
	// document as a whole.
	Offset int
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return "xmltree: " + e.Detail
	}
	return "xmltree: " + e.Detail + " at byte " + strconv.Itoa(e.Offset)
}

// whole is the Offset of an error of the document as a whole.
const whole = -1

func syntax(at int, detail string) *Error { return &Error{Reason: Syntax, Detail: detail, Offset: at} }

// named returns an error whose format has one %s, for the quoted name.
func named(reason Reason, at int, format, name string) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, quote(name)), Name: name, Offset: at}
}

// limitError returns an error whose format has one %d, for the limit.
func limitError(at int, format string, limit int) *Error {
	return &Error{Reason: Limit, Detail: fmt.Sprintf(format, limit), Offset: at}
}

// invalidChar reports the character at s[i], which is at byte at of the document.
func invalidChar(at int, s string, i int) *Error {
	c, _ := utf8.DecodeRuneInString(s[i:])
	return syntax(at, fmt.Sprintf("character %U is not allowed in XML", c))
}

// maxQuoted bounds how much of a name an error repeats, in bytes.
const maxQuoted = 64

// quote makes a name from the document safe to show.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.ToValidUTF8(s[:maxQuoted], "") + "…")
}
