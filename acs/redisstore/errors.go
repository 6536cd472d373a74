package redisstore

import "github.com/meridian-saml/meridian/acs/internal/storeerr"

// Reason says what is wrong. The set is closed. What the contract of
// [acs.Store] has names for is said with those, not with an [Error].
type Reason string

const (
	// ReasonConfig: what New was given makes no sense.
	ReasonConfig Reason = "Config"
	// ReasonKey: not a key as the contract of acs.Store has them.
	ReasonKey Reason = "Key"
	// ReasonPolicy: Redis is set to drop records when its memory is full, or
	// won't say what it is set to. New says so, and every Add as long as it is
	// so, which stores nothing then.
	ReasonPolicy Reason = "Policy"
	// ReasonUnavailable: Redis did not answer, or not in time, or said that
	// it can't. Whether the call worked is then unknown.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonForgotten: Redis was flushed, started again or replaced by a replica,
	// or has evicted keys.
	// The call failed, and Since has moved.
	ReasonForgotten Reason = "Forgotten"
)

// Error is the one error type of this package.
type Error struct {
	Reason Reason
	// Rule names the field of Config, the setting of Redis, or the call.
	Rule string
	// Want and Got are both sides of the comparison, where there was one.
	Want, Got string
	// Detail says more, where Want and Got can't.
	Detail string
	// Err is the cause, where there is one.
	Err error
}

// Error gives the message, cut short.
func (e *Error) Error() string {
	return storeerr.Message("redisstore", string(e.Reason), e.Rule, e.Detail, e.Want, e.Got, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func unavailable(call string, err error) error {
	return &Error{Reason: ReasonUnavailable, Rule: call, Err: err}
}
