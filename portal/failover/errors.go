package failover

import "github.com/meridian-saml/meridian/portal/internal/refusal"

// Reason says what went wrong. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons. The last three are those of a failed probe, in Status.LastError.
const (
	// ReasonConfig: a value given to New or Set is invalid.
	ReasonConfig Reason = "Config"
	// ReasonUnknownRegion: no Region has that name.
	ReasonUnknownRegion Reason = "UnknownRegion"
	// ReasonLastRegion: the Region is the only one that isn't Off, so it can't be turned Off.
	ReasonLastRegion Reason = "LastRegion"
	// ReasonRunning: Run is running already.
	ReasonRunning Reason = "Running"
	// ReasonCanceled: the context ended before all Regions had answered.
	ReasonCanceled Reason = "Canceled"
	// ReasonUnreachable: no connection, no TLS, or no HTTP.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonTimeout: no complete answer within Config.Timeout.
	ReasonTimeout Reason = "Timeout"
	// ReasonStatus: the answer's status isn't 200.
	ReasonStatus Reason = "Status"
)

// Error is the type of every error that this package returns.
type Error struct {
	Reason Reason
	// Rule names what was checked. Want and Got are the expected and the actual value, if there are
	// two to compare.
	Rule, Want, Got string
	// Err is the cause, or nil.
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
