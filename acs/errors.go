package acs

import (
	"errors"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Reason says why this package refused something. The set is closed. A refusal by package saml keeps its
// [saml.Reason], so a [Verdict] can hold either.
type Reason string

const (
	// ReasonConfig: an argument of a constructor or of StartLogin is invalid, or Config.Rand failed.
	ReasonConfig Reason = "Config"

	// ReasonMethod: an assertion consumer takes POST only (Bindings 3.5.4).
	ReasonMethod Reason = "Method"
	// ReasonContentType: not application/x-www-form-urlencoded.
	ReasonContentType Reason = "ContentType"
	// ReasonTooLarge: the body is longer than Config.MaxBody.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonBusy: the bodies that are being read, in all or of this client, use up their part of Config.MaxBodies.
	ReasonBusy Reason = "Busy"
	// ReasonForm: not a form in the body with exactly one SAMLResponse and at most one RelayState.
	ReasonForm Reason = "Form"
	// ReasonHost: several ACS URLs have this path, and none has this host.
	ReasonHost Reason = "Host"

	// ReasonRequest: the answered request is unknown for this browser (answered before, or another
	// browser's), or has expired.
	ReasonRequest Reason = "Request"
	// ReasonNavigation: the request that would start a sign-in is not a navigation of a window. See [CheckNavigation].
	ReasonNavigation Reason = "Navigation"
	// ReasonTooMany: this browser or this client address has as many requests waiting as it may. See [Config].ClientAddr.
	ReasonTooMany Reason = "TooMany"
	// ReasonCancelled: the identity provider says that it did not sign the user in: cancelled, denied, or
	// not possible without interaction. The message is not authenticated, and changes nothing.
	ReasonCancelled Reason = "Cancelled"
	// ReasonRelayState: the RelayState is not the one that was sent with the request (Bindings 3.5.3).
	ReasonRelayState Reason = "RelayState"
	// ReasonUnsolicited: the response is unsolicited, Config.Unsolicited is Restart, and restarting leads
	// back here. Where it is Refuse, package saml refuses with its Reason of that name.
	ReasonUnsolicited Reason = "Unsolicited"
	// ReasonRestarted: the unsolicited response was dropped, and a sign-in started. Not a refusal.
	ReasonRestarted Reason = "Restarted"
	// ReasonReplay: the assertion was used before (Profiles 4.1.4.5).
	ReasonReplay Reason = "Replay"
	// ReasonForgotten: the request was made, or the unsolicited assertion issued, before the instant since
	// which the store remembers. It may have been used before.
	ReasonForgotten Reason = "Forgotten"
	// ReasonStore: the store could not answer, or is full.
	ReasonStore Reason = "Store"
)

// Error is the error type of this package.
type Error struct {
	Reason Reason
	// Rule names the rule and its place in the specifications, such as "RelayState (Bindings 3.5.3)", or
	// the field of Config.
	Rule string
	// Want and Got are both sides of a comparison. Got may hold a client's input.
	Want, Got string
	// Detail says more where Want and Got can't.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message. Values from outside are quoted and cut short.
func (e *Error) Error() string {
	return storeerr.Message("acs", string(e.Reason), e.Rule, e.Detail, e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// The errors of a [Store]. An implementation may wrap them.
var (
	// ErrExists: a live record has that key.
	ErrExists = errors.New("acs: a live record has that key")
	// ErrNotFound: no live record has that key.
	ErrNotFound = errors.New("acs: no live record has that key")
	// ErrExpired: the lifetime has ended already, by the store's clock.
	ErrExpired = errors.New("acs: the lifetime has ended already")
	// ErrFull: the quota of request records is used up, or the store has no room.
	ErrFull = errors.New("acs: too many requests are waiting for an answer")
)

func newError(reason Reason, rule, detail string) *Error {
	return &Error{Reason: reason, Rule: rule, Detail: detail}
}

// compared sets both sides of the comparison.
func (e *Error) compared(want, got string) *Error {
	e.Want, e.Got = want, got
	return e
}

func badConfig(field, detail string) error { return newError(ReasonConfig, field, detail) }

func badValue(field, want, got string) error {
	return newError(ReasonConfig, field, "").compared(want, got)
}
