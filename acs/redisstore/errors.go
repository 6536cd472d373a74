package redisstore

import (
	"strings"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Reason is the reason of an [Error]. The set is closed. The errors in the contract of [acs.Store], such as
// acs.ErrExists, are not an Error.
type Reason string

const (
	// ReasonConfig: a field of Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonKey: the key is invalid by the contract of acs.Store.
	ReasonKey Reason = "Key"
	// ReasonPolicy: the maxmemory-policy is not noeviction, or Redis doesn't report it. New returns this, and so
	// does an Add, which then stores nothing.
	ReasonPolicy Reason = "Policy"
	// ReasonUnavailable: Redis did not answer in time, or returned an error. The call may have succeeded.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonForgotten: Redis was flushed, restarted or replaced by a replica, or has evicted keys. The call
	// failed, and Since has moved.
	ReasonForgotten Reason = "Forgotten"
)

// Error is the error type of this package. Its fields are those of [acs.Error]; Rule names the field of
// Config, the setting of Redis, or the call.
type Error struct {
	Reason    Reason
	Rule      string
	Want, Got string
	Detail    string
	Err       error
}

// Error returns the message, cut short.
func (e *Error) Error() string {
	return storeerr.Message("redisstore", string(e.Reason), e.Rule, e.Detail, e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrongPolicy returns the error for a script's answer that names another policy, and nil for other answers.
func wrongPolicy(answer any) error {
	text, _ := answer.(string)
	if got, ok := strings.CutPrefix(text, "POLICY "); ok {
		return &Error{Reason: ReasonPolicy, Rule: "maxmemory-policy", Want: "noeviction", Got: got}
	}
	return nil
}

func unavailable(call string, err error) error {
	return &Error{Reason: ReasonUnavailable, Rule: call, Err: err}
}
