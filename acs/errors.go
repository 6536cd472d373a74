package acs

import (
	"errors"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Reason is the reason for a refusal by this package. The set is closed. A refusal by package saml keeps its
// [saml.Reason], so a [Verdict] has one or the other.
type Reason string

const (
	// ReasonConfig: an argument of a constructor or of StartLogin is invalid, or Config.Rand failed.
	ReasonConfig Reason = "Config"

	// ReasonMethod: an assertion consumer service accepts POST only (Bindings 3.5.4), and GET where it takes artifacts.
	ReasonMethod Reason = "Method"
	// ReasonContentType: the body is not application/x-www-form-urlencoded.
	ReasonContentType Reason = "ContentType"
	// ReasonTooLarge: the body is longer than Config.MaxBody.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonBusy: the bodies that are being read use up Config.MaxBodies, or this client's part of it. Or more responses
	// arrive than the stores take (see Config.MaxAtOnce). Or the calls to an identity provider by SOAP, or to all, use up
	// what there may be at the same time, or this client's part of that. Or too many logout messages of this client were
	// refused lately.
	ReasonBusy Reason = "Busy"
	// ReasonForm: the body is not a form with exactly one SAMLResponse, or one SAMLart where artifacts are taken, and at
	// most one RelayState.
	ReasonForm Reason = "Form"
	// ReasonHost: several ACS URLs have the request's path, and none of them has its host.
	ReasonHost Reason = "Host"

	// ReasonRequest: the answered request is unknown for this browser (answered before, or another
	// browser's), or has expired, or no request of this browser waits for an artifact.
	ReasonRequest Reason = "Request"
	// ReasonNavigation: only a navigation of a window can start a sign-in, and this request is none. See
	// [CheckNavigation].
	ReasonNavigation Reason = "Navigation"
	// ReasonDiscovery: the answer of a discovery service is for no pending discovery of this browser, or chooses no
	// identity provider.
	ReasonDiscovery Reason = "Discovery"
	// ReasonFindIdP: Config.FindIdP returned an error that is not a *saml.Error.
	ReasonFindIdP Reason = "FindIdP"
	// ReasonTooMany: this browser or client address has too many pending requests, or too many artifacts that answer
	// none. See [Config].ClientAddr.
	ReasonTooMany Reason = "TooMany"
	// ReasonCancelled: the identity provider did not sign the user in: cancelled, denied, or not possible without
	// interaction. The message is not authenticated, so the request stays pending, unless it came for an artifact.
	ReasonCancelled Reason = "Cancelled"
	// ReasonRelayState: the RelayState differs from that of the request (Bindings 3.5.3). With an artifact it may not be
	// missing, either.
	ReasonRelayState Reason = "RelayState"
	// ReasonUnsolicited: the response is unsolicited, Config.Unsolicited is Restart, and the restarted sign-ins
	// led to unsolicited responses again. If it is Refuse, the Reason is [saml.ReasonUnsolicited].
	ReasonUnsolicited Reason = "Unsolicited"
	// ReasonRestarted: the unsolicited response was dropped, and a sign-in was started. This is not a refusal.
	ReasonRestarted Reason = "Restarted"
	// ReasonReplay: the assertion, artifact or LogoutRequest was used before (Profiles 4.1.4.5, Bindings 3.6.5.2).
	ReasonReplay Reason = "Replay"
	// ReasonForgotten: the request was made, or the unsolicited assertion issued, before the store lost records.
	// It may have been used before.
	ReasonForgotten Reason = "Forgotten"
	// ReasonCrossSite: another site's page asked for a logout, and not the user.
	ReasonCrossSite Reason = "CrossSite"
	// ReasonSOAP: a call to the identity provider by SOAP failed: it can't be reached or is not allowed to be, it did not
	// answer in time, or the answer is not a SOAP message with status 200 (Bindings 3.2.3).
	ReasonSOAP Reason = "SOAP"
	// ReasonEndSessions: Config.EndSessions returned an error, or is running for the same LogoutRequest, or was when a
	// node stopped. Sessions may live on.
	ReasonEndSessions Reason = "EndSessions"
	// ReasonStore: the store could not answer, or is full.
	ReasonStore Reason = "Store"
)

// Error is the error type of this package.
type Error struct {
	Reason Reason
	// Rule names the rule and its section, such as "RelayState (Bindings 3.5.3)", or the field of Config.
	Rule string
	// Want and Got are both sides of a comparison. Got may be a client's input.
	Want, Got string
	// Detail adds what Want and Got can't express.
	Detail string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message. Untrusted values are quoted and cut short.
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
	// ErrExpired: the lifetime has already ended, by the store's clock.
	ErrExpired = errors.New("acs: the lifetime has already ended")
	// ErrFull: the quota of request records is used up, or the store has no room.
	ErrFull = errors.New("acs: the quota of requests or the store is full")
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
