package portal

import (
	"errors"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// A Reason says why the portal refused. The list is closed; compare with it,
// never with a message.
type Reason string

// The reasons. Those but ReasonConfig are what the log of a refused person shows.
const (
	// ReasonConfig: New was given something it can't work with.
	ReasonConfig Reason = "Config"
	// ReasonUnknownUser: the NameID equals no userName exactly.
	ReasonUnknownUser Reason = "UnknownUser"
	// ReasonInactiveUser: the user exists and is not active.
	ReasonInactiveUser Reason = "InactiveUser"
	// ReasonSessionOver: the identity provider's SessionNotOnOrAfter has come,
	// so a session would be over before it began.
	ReasonSessionOver Reason = "SessionOver"
	// ReasonCrossSite: another site's page posted to the portal.
	ReasonCrossSite Reason = "CrossSite"
	// ReasonNavigation: a browser asked for a page that changes something, by
	// other means than a navigation of a window (see acs.CheckNavigation).
	ReasonNavigation Reason = "Navigation"
	// ReasonTooMany: this browser has begun as many handoffs as it may, and
	// another site's page asks for one more.
	ReasonTooMany Reason = "TooMany"
	// ReasonUnavailable: a store could not answer.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonRevoked: the sign-in, or all of the user's, was ended before the
	// session that it was for began.
	ReasonRevoked Reason = "Revoked"
	// ReasonStale: another Region was not heard for longer than MaxStaleness.
	ReasonStale Reason = "Stale"
	// ReasonNotInUse: the Region is being added or taken out, or is none of the
	// instance's any more, so nobody can sign in here.
	ReasonNotInUse Reason = "NotInUse"
	// ReasonNotPending: this browser has no such sign-in to continue, or has
	// used it, or it is too old.
	ReasonNotPending Reason = "NotPending"
	// ReasonHandoffTarget: a handoff was asked for an origin that is no portal
	// of an active Region of the instance, or was malformed.
	ReasonHandoffTarget Reason = "HandoffTarget"
	// ReasonHandoffBrowser: a code came through a browser that began no such
	// handoff, or too long ago.
	ReasonHandoffBrowser Reason = "HandoffBrowser"
	// ReasonHandoffCode: the code was used, is over, or never existed; or the
	// Region that was asked had no session to hand off.
	ReasonHandoffCode Reason = "HandoffCode"
	// ReasonHandoffBinding: the code is for another origin, another browser, from
	// another Region than the one that was asked, from one that it does not name,
	// or from one that is not active.
	ReasonHandoffBinding Reason = "HandoffBinding"
	// ReasonHandoffUser: the browser is signed in here as somebody else than
	// the one whose session was handed off, and stays that.
	ReasonHandoffUser Reason = "HandoffUser"
	// ReasonHandoffOften: the sign-in was given as many codes as can be alive
	// at once.
	ReasonHandoffOften Reason = "HandoffOften"
	// ReasonSessions: the sign-in has as many sessions as it may.
	ReasonSessions Reason = "Sessions"
)

// An Error is the one type of error that this package makes.
type Error struct {
	Reason Reason
	// Rule names what was checked. Want and Got are both sides of the comparison,
	// where there was one.
	Rule, Want, Got string
	// Err is the cause, if there is one.
	Err error

	regions []string // that ReasonStale is about, for the page
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("portal", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

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

func unavailable(what string, err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Want: "an answer", Err: err}
}
