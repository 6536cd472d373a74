package xmltree

// Kind says what was wrong with a document.
type Kind int

const (
	Syntax    Kind = iota // not well-formed, or something that SAML never needs
	Limit                 // past a limit
	Text                  // a comment inside a text value
	Duplicate             // an ID that is not unique
)

// Error is what Check and Parse refuse with.
type Error struct {
	Kind   Kind
	Detail string
	Err    error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return "xmltree: " + e.Detail + ": " + e.Err.Error()
	}
	return "xmltree: " + e.Detail
}

func (e *Error) Unwrap() error { return e.Err }
