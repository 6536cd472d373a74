package middleware

import "github.com/meridian-saml/meridian/acs/internal/storeerr"

// Reason is the reason for a refusal by this package. The set is closed. Refusals of responses and of logout messages
// are those of package acs.
type Reason string

const (
	// ReasonConfig: an argument of New is invalid.
	ReasonConfig Reason = "Config"
	// ReasonNotPending: this browser has no verified sign-in to finish: it is finished, too old, or another browser's.
	ReasonNotPending Reason = "NotPending"
	// ReasonNavigation: the request is not a navigation of a window, or not by a form of this service.
	ReasonNavigation Reason = "Navigation"
	// ReasonLoggedOut: the identity provider ended the session before it began (SAML Core 3.7.3.1).
	ReasonLoggedOut Reason = "LoggedOut"
	// ReasonRevoked: the sign-in or the user's sessions were ended before the session began.
	ReasonRevoked Reason = "Revoked"
	// ReasonSessionOver: the assertion's SessionNotOnOrAfter has passed.
	ReasonSessionOver Reason = "SessionOver"
	// ReasonForbidden: the user's attributes don't meet a Requirement, or Config.Admit refused the user.
	ReasonForbidden Reason = "Forbidden"
	// ReasonUnavailable: a store could not answer.
	ReasonUnavailable Reason = "Unavailable"
)

// Error is the error type of this package.
type Error struct {
	Reason Reason
	// Rule names the rule and its section, or the field of Config.
	Rule string
	// Want and Got are both sides of a comparison. Got may be a client's input.
	Want, Got string
	// Err is the cause, or nil.
	Err error
}

// Error returns the message. Untrusted values are quoted and cut short.
func (e *Error) Error() string {
	return storeerr.Message("middleware", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func badConfig(field, want, got string) error {
	return &Error{Reason: ReasonConfig, Rule: field, Want: want, Got: got}
}

func unavailable(what string, err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Err: err}
}
