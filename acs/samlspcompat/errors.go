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
	// Option names the field of samlsp.Options or of Config.
	Option string
	// Instead says what to do.
	Instead string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message.
func (e *Error) Error() string {
	s := fmt.Sprintf("samlspcompat: %s: %s: %s", e.Reason, e.Option, e.Instead)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func unsupported(option, instead string) *Error {
	return &Error{Reason: ReasonUnsupported, Option: option, Instead: instead}
}
