package failover

import "github.com/meridian-saml/meridian/portal/internal/refusal"

// A Reason says what went wrong. The list is closed; compare with it, never
// with a message.
type Reason string

// The reasons.
const (
	// ReasonConfig: New, ClientAddress.Order or Set was given something that
	// makes no sense.
	ReasonConfig Reason = "Config"
	// ReasonUnknownRegion: no Region has that name.
	ReasonUnknownRegion Reason = "UnknownRegion"
	// ReasonLastRegion: the Region is the only one that isn't Off, so it can't
	// be turned Off.
	ReasonLastRegion Reason = "LastRegion"
	// ReasonRunning: Run runs already.
	ReasonRunning Reason = "Running"
	// ReasonCanceled: the context ended before all Regions had answered.
	ReasonCanceled Reason = "Canceled"

	// What a failed probe says, in Status.LastError.

	// ReasonUnreachable: no connection, no TLS, or no HTTP.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonTimeout: no complete answer within Config.Timeout.
	ReasonTimeout Reason = "Timeout"
	// ReasonStatus: an answer that isn't 200.
	ReasonStatus Reason = "Status"
)

// An Error is the one type of error that this package makes.
type Error struct {
	Reason Reason
	// Rule names what was checked. Want and Got are both sides of the comparison,
	// where there was one.
	Rule, Want, Got string
	// Err is the cause, if there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("failover", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func badConfig(rule, want, got string) *Error {
	return &Error{Reason: ReasonConfig, Rule: rule, Want: want, Got: got}
}
