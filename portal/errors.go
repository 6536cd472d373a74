package portal

import (
	"errors"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Reason says why the portal refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons. All but ReasonConfig appear in the log of a refused request.
const (
	ReasonConfig         Reason = "Config"         // the Config given to New is invalid
	ReasonUnknownUser    Reason = "UnknownUser"    // no user of the identity provider has the NameID as userName
	ReasonInactiveUser   Reason = "InactiveUser"   // the user exists but is not active
	ReasonSessionOver    Reason = "SessionOver"    // the assertion's SessionNotOnOrAfter has passed already
	ReasonCrossSite      Reason = "CrossSite"      // another site's page posted to the portal
	ReasonNavigation     Reason = "Navigation"     // not a navigation of a window (see acs.CheckNavigation)
	ReasonTooMany        Reason = "TooMany"        // another site began a handoff above the limit for a browser
	ReasonUnavailable    Reason = "Unavailable"    // a store could not answer
	ReasonAccessControl  Reason = "AccessControl"  // an attribute for access control is malformed, or above a limit
	ReasonRevoked        Reason = "Revoked"        // the sign-in or user was revoked before the session began
	ReasonLoggedOut      Reason = "LoggedOut"      // the identity provider has ended the session of this assertion
	ReasonStale          Reason = "Stale"          // another Region was not heard for longer than MaxStaleness
	ReasonNotInUse       Reason = "NotInUse"       // the Region is being added or removed, or is unknown
	ReasonNotPending     Reason = "NotPending"     // the browser has no such sign-in, or it is used or too old
	ReasonHandoffTarget  Reason = "HandoffTarget"  // malformed, or not for a portal of an active Region
	ReasonHandoffBrowser Reason = "HandoffBrowser" // the browser began no such handoff, or too long ago
	ReasonHandoffCode    Reason = "HandoffCode"    // the code is used, expired or unknown, or there was no session
	ReasonHandoffBinding Reason = "HandoffBinding" // the code is for another origin or browser, or from another Region
	ReasonHandoffUser    Reason = "HandoffUser"    // the browser is signed in here as another user
	ReasonHandoffOften   Reason = "HandoffOften"   // the sign-in has the maximum of valid codes
	ReasonSessions       Reason = "Sessions"       // the sign-in has the maximum of sessions
	ReasonClientRequest  Reason = "ClientRequest"  // a program's request is malformed, answered or too old
	ReasonClientSession  Reason = "ClientSession"  // a program has no such authorization here, or it has ended
	ReasonUserCode       Reason = "UserCode"       // no program shows this code, or it was used or is too old
	ReasonAudit          Reason = "Audit"          // the event of what gives access could not be written
	ReasonUnknownAddress Reason = "UnknownAddress" // a POST to an address that is no page and no ACS URL
	ReasonUserCodes      Reason = "UserCodes"      // too many wrong codes were entered
)

// Error is the type of every error that this package returns, except ErrNoCode.
type Error struct {
	Reason          Reason
	Rule, Want, Got string // what was checked, and the expected and the actual value, if there are two
	Err             error  // the cause, or nil

	regions []string // that ReasonStale is about, for the page
	signIn  *pending // that was refused, for the event
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

// noAccess reports whether an error means that the directory has no such active user.
func (e *Error) noAccess() bool {
	return e.Reason == ReasonUnknownUser || e.Reason == ReasonInactiveUser
}

// lookupError returns the error because of which current can't identify the session's user, or nil.
func lookupError(err error) *Error {
	var e *Error
	if errors.As(err, &e) && (e.Reason == ReasonUnavailable || e.Reason == ReasonStale) {
		return e
	}
	return nil
}
