package theme

import "fmt"

// Reason is the reason for a refusal. The set is closed.
type Reason string

const (
	// ReasonConfig: a field of Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonContrast: text in a color would not be legible (WCAG 2.2 1.4.3).
	ReasonContrast Reason = "Contrast"
	// ReasonTexts: a catalog is invalid.
	ReasonTexts Reason = "Texts"
)

// Error is the error type of this package.
type Error struct {
	Reason Reason
	// Rule names the field of Config, or the catalog and the key.
	Rule string
	// Want and Got are both sides of the comparison, if there was one.
	Want, Got string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message, with values quoted and cut short.
func (e *Error) Error() string {
	text := "theme: " + string(e.Reason) + ": " + e.Rule
	if e.Want != "" {
		text += fmt.Sprintf(": want %.200q, got %.200q", e.Want, e.Got)
	}
	if e.Err != nil {
		text += fmt.Sprintf(": %.300s", e.Err)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
