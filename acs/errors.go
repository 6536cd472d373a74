package acs

import (
	"errors"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Reason says why this package refused something. The set is closed. A refusal
// of package saml keeps its own [saml.Reason], so a [Verdict] can hold either.
type Reason string

const (
	// ReasonConfig: what a constructor or StartLogin was given makes no sense,
	// or Config.Rand gave nothing.
	ReasonConfig Reason = "Config"

	// ReasonMethod: an assertion consumer takes POST only (Bindings 3.5.4).
	ReasonMethod Reason = "Method"
	// ReasonContentType: not application/x-www-form-urlencoded.
	ReasonContentType Reason = "ContentType"
	// ReasonTooLarge: a body longer than Config.MaxBody.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonBusy: the bodies that are being read, in all or of this client, take
	// all that they may. See Config.MaxBodies.
	ReasonBusy Reason = "Busy"
	// ReasonForm: not a form with exactly one SAMLResponse, in the body, and at
	// most one RelayState.
	ReasonForm Reason = "Form"
	// ReasonHost: several ACS URLs share this path, and none has this host.
	ReasonHost Reason = "Host"

	// ReasonRequest: the request that it answers is not known for this browser
	// (answered before, or another browser's), or is too old.
	ReasonRequest Reason = "Request"
	// ReasonNavigation: a sign-in can't start by a request that is not a
	// navigation of a window. See [CheckNavigation].
	ReasonNavigation Reason = "Navigation"
	// ReasonTooMany: as many requests of this browser or of this client address
	// wait for an answer as may. See [Config].ClientAddr.
	ReasonTooMany Reason = "TooMany"
	// ReasonCancelled: the identity provider says that the user was not signed
	// in there: cancelled, denied, or not without asking. Nothing vouches for
	// that message, and nothing is changed by it.
	ReasonCancelled Reason = "Cancelled"
	// ReasonRelayState: the answer brought back another RelayState than the one
	// that went with its request (Bindings 3.5.3).
	ReasonRelayState Reason = "RelayState"
	// ReasonUnsolicited: it answers no request, Config.Unsolicited is Restart, and
	// restarting leads back here. Where it is Refuse, package saml refuses, with
	// its Reason of that name.
	ReasonUnsolicited Reason = "Unsolicited"
	// ReasonRestarted: it answers no request, was dropped, and a sign-in of our
	// own was started instead. Not a refusal: the person is on the way.
	ReasonRestarted Reason = "Restarted"
	// ReasonReplay: the assertion was used before (Profiles 4.1.4.5).
	ReasonReplay Reason = "Replay"
	// ReasonForgotten: the store remembers since an instant, and the request
	// was made before it, or the assertion issued where it answers none. So it
	// may have been used before.
	ReasonForgotten Reason = "Forgotten"
	// ReasonStore: the store could not answer, or is full. Nobody gets in.
	ReasonStore Reason = "Store"
)

// Error is the one error type of this package.
type Error struct {
	Reason Reason
	// Rule names what was broken and where it is written, for example
	// "RelayState (Bindings 3.5.3)", or the field of a Config.
	Rule string
	// Want and Got are both sides of the comparison, where there was one. Got
	// may hold what a stranger sent.
	Want, Got string
	// Detail says more, where Want and Got can't.
	Detail string
	// Err is the cause, where there is one.
	Err error
}

// Error gives the message. What came from outside is quoted and cut short.
func (e *Error) Error() string {
	return storeerr.Message("acs", string(e.Reason), e.Rule, e.Detail, e.Want, e.Got, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// What a [Store] says. An implementation may wrap them.
var (
	// ErrExists: a live record has that key.
	ErrExists = errors.New("acs: a live record has that key")
	// ErrNotFound: no live record has that key.
	ErrNotFound = errors.New("acs: no live record has that key")
	// ErrExpired: the lifetime asked for is over already, by the store's clock.
	ErrExpired = errors.New("acs: the lifetime is over already")
	// ErrFull: the quota of request records is used up.
	ErrFull = errors.New("acs: too many requests are waiting for an answer")
)

func badConfig(field, detail string, err error) error {
	return &Error{Reason: ReasonConfig, Rule: field, Detail: detail, Err: err}
}
