package xmltree

import "strconv"

// Kind says what was wrong with a document.
type Kind int

const (
	Syntax    Kind = iota // not well-formed, or something that SAML never needs
	Limit                 // past a limit
	Text                  // a comment inside a text value
	Duplicate             // an ID that is not unique
	Root                  // another root than Limits.Root; Detail is its name
)

// Error is what Parse refuses with.
type Error struct {
	Kind   Kind
	Detail string
}

func (e *Error) Error() string { return "xmltree: " + e.Detail }

func syntax(detail string) error { return &Error{Kind: Syntax, Detail: detail} }

// quote makes a name from the document fit to be shown.
func quote(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
