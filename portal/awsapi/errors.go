package awsapi

import "github.com/meridian-saml/meridian/portal/internal/refusal"

// Reason says why the package refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons.
const (
	ReasonConfig  Reason = "Config"  // a Config is invalid
	ReasonInput   Reason = "Input"   // a request's body or parameter is malformed, or above a limit
	ReasonToken   Reason = "Token"   // a token was not sealed here for this purpose, or it was changed
	ReasonExpired Reason = "Expired" // a genuine token or credential is past its end
	ReasonNoGrant Reason = "NoGrant" // an access token is unknown here, has ended, or is another Region's
	// ReasonUnavailable: a store or a key can't answer. The request is refused.
	ReasonUnavailable Reason = "Unavailable"
)

// Error is the type of the errors of this package. What a client sees is an [Exception].
type Error struct {
	Reason          Reason
	Rule, Want, Got string // what was checked, and the expected and the actual value, if there are two
	Err             error  // the cause, or nil
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("awsapi", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func badConfig(field, want, got string) error {
	return &Error{Reason: ReasonConfig, Rule: field, Want: want, Got: got}
}

func badInput(rule, want, got string) *Error {
	return &Error{Reason: ReasonInput, Rule: rule, Want: want, Got: got}
}
