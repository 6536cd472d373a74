package portal

import (
	"errors"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Reason says why the portal refused. The list is closed. Compare with a Reason, never with a
// message.
type Reason string

// The reasons. All but ReasonConfig appear in the log of a refused request.
const (
	// ReasonConfig: the Config given to New is invalid.
	ReasonConfig Reason = "Config"
	// ReasonUnknownUser: no userName equals the NameID exactly.
	ReasonUnknownUser Reason = "UnknownUser"
	// ReasonInactiveUser: the user exists but is not active.
	ReasonInactiveUser Reason = "InactiveUser"
	// ReasonSessionOver: the assertion's SessionNotOnOrAfter has passed, so a session would end
	// before it began.
	ReasonSessionOver Reason = "SessionOver"
	// ReasonCrossSite: another site's page posted to the portal.
	ReasonCrossSite Reason = "CrossSite"
	// ReasonNavigation: a browser requested a page that changes something, but not by navigating a
	// window (see acs.CheckNavigation).
	ReasonNavigation Reason = "Navigation"
	// ReasonTooMany: the browser has the maximum of handoffs in progress, and another site's page
	// requested one more.
	ReasonTooMany Reason = "TooMany"
	// ReasonUnavailable: a store could not answer.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonRevoked: the sign-in, or all of the user's sessions, were ended before this session
	// began.
	ReasonRevoked Reason = "Revoked"
	// ReasonStale: another Region was not heard for longer than MaxStaleness.
	ReasonStale Reason = "Stale"
	// ReasonNotInUse: the Region is being added or removed, or is not one of the instance's, so no
	// user can sign in here.
	ReasonNotInUse Reason = "NotInUse"
	// ReasonNotPending: the browser has no such sign-in to continue, or it is used or too old.
	ReasonNotPending Reason = "NotPending"
	// ReasonHandoffTarget: the request for a handoff is malformed, or its target is not a portal of
	// an active Region of the instance.
	ReasonHandoffTarget Reason = "HandoffTarget"
	// ReasonHandoffBrowser: a code arrived in a browser that did not begin this handoff, or began it
	// too long ago.
	ReasonHandoffBrowser Reason = "HandoffBrowser"
	// ReasonHandoffCode: the code is used, expired or unknown, or the other Region had no session to
	// hand off.
	ReasonHandoffCode Reason = "HandoffCode"
	// ReasonHandoffBinding: the code is for another origin or browser, or comes from another Region
	// than the browser was sent to, than it names, or than the active ones.
	ReasonHandoffBinding Reason = "HandoffBinding"
	// ReasonHandoffUser: the browser is signed in here as another user than the one whose session
	// was handed off. It stays signed in.
	ReasonHandoffUser Reason = "HandoffUser"
	// ReasonHandoffOften: the sign-in has the maximum of valid codes.
	ReasonHandoffOften Reason = "HandoffOften"
	// ReasonSessions: the sign-in has the maximum of sessions.
	ReasonSessions Reason = "Sessions"
)

// Error is the type of every error that this package returns, except ErrNoCode.
type Error struct {
	Reason Reason
	// Rule names what was checked. Want and Got are the expected and the actual value, if there are
	// two to compare.
	Rule, Want, Got string
	// Err is the cause, or nil.
	Err error

	regions []string // that ReasonStale is about, for the page
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("portal", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func newError(reason Reason, rule, want, got string) *Error {
	return &Error{Reason: reason, Rule: rule, Want: want, Got: got}
}

func unavailable(what string, err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Want: "an answer", Err: err}
}

// noAccess says whether the directory has no such active user.
func (e *Error) noAccess() bool {
	return e.Reason == ReasonUnknownUser || e.Reason == ReasonInactiveUser
}

// unsure returns the reason why current can't tell whose session it is, or nil.
func unsure(err error) *Error {
	var e *Error
	if errors.As(err, &e) && (e.Reason == ReasonUnavailable || e.Reason == ReasonStale) {
		return e
	}
	return nil
}
