package discovery

import "fmt"

// Reason is the reason for a refusal. The set is closed.
type Reason string

const (
	// ReasonConfig: a field of Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonRequest: a parameter of the request is missing or invalid.
	ReasonRequest Reason = "DiscoveryRequest"
	// ReasonReturn: the address for the answer is not one of the service provider's.
	ReasonReturn Reason = "DiscoveryReturn"
)

// Error is the error type of this package.
type Error struct {
	Reason Reason
	// Rule names the field of Config, or the parameter.
	Rule string
	// Want and Got are both sides of the comparison, if there was one. Got may be an
	// attacker's input.
	Want, Got string
	// Detail adds what Want and Got can't express.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message. Untrusted values are quoted and cut short.
func (e *Error) Error() string {
	text := "discovery: " + string(e.Reason) + ": " + e.Rule
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Want != "" {
		text += fmt.Sprintf(": want %.200q", e.Want)
	}
	if e.Got != "" {
		text += fmt.Sprintf(": got %.200q", e.Got)
	}
	if e.Err != nil {
		text += fmt.Sprintf(": %.300s", e.Err)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
