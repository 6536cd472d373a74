package failover

import "github.com/meridian-saml/meridian/portal/internal/refusal"

// Reason says what went wrong. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons. The last four are those of a failed probe, in Status.LastError.
const (
	ReasonConfig        Reason = "Config"        // a value given to New or Set is invalid
	ReasonUnknownRegion Reason = "UnknownRegion" // no Region has that name
	ReasonLastRegion    Reason = "LastRegion"    // the last Region that isn't Off can't be turned Off
	ReasonRunning       Reason = "Running"       // Run is running already
	ReasonCanceled      Reason = "Canceled"      // the context ended before all Regions had answered
	ReasonUnreachable   Reason = "Unreachable"   // no connection, no TLS, or no HTTP
	ReasonTimeout       Reason = "Timeout"       // no complete answer within Config.Timeout
	ReasonStatus        Reason = "Status"        // the answer's status isn't 200
	ReasonDrained       Reason = "Drained"       // the Region says that an operator took it out of rotation
)

// Error is the type of every error that this package returns.
type Error struct {
	Reason          Reason
	Rule, Want, Got string // what was checked, and the expected and the actual value, if there are two
	Err             error  // the cause, or nil
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
