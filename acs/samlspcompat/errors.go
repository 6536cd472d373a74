package samlspcompat

import "fmt"

// Reason is the reason for an error of this package. The set is closed.
type Reason string

const (
	// ReasonUnsupported: an option of samlsp has no counterpart, or a weaker check that Meridian doesn't offer.
	ReasonUnsupported Reason = "Unsupported"
	// ReasonConfig: a value is missing or invalid.
	ReasonConfig Reason = "Config"
)

// Error is the error type of this package. Its messages are about the program's own options.
type Error struct {
	Reason Reason
	// Rule names the field of samlsp.Options or of Config.
	Rule string
	// Want says what is valid, or what to do instead.
	Want string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message.
func (e *Error) Error() string {
	s := fmt.Sprintf("samlspcompat: %s: %s: want %s", e.Reason, e.Rule, e.Want)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func unsupported(option, instead string) *Error {
	return &Error{Reason: ReasonUnsupported, Rule: option, Want: instead}
}
