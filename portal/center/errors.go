package center

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reason says why the package refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons. Those from ReasonCaller on say why a Region may not be added or removed: see Control.
const (
	ReasonNotPrimary    Reason = "NotPrimary"    // only the primary may make this write; Error.Primary names it
	ReasonNotAppRegion  Reason = "NotAppRegion"  // only the application's own Region may; Error.Want names it
	ReasonUnknownRegion Reason = "UnknownRegion" // the Region is not one of the instance's
	ReasonNotInUse      Reason = "NotInUse"      // the Region is being removed, or is not active yet
	ReasonPrimaryFixed  Reason = "PrimaryFixed"  // the change would remove or replace the primary Region
	ReasonRequired      Reason = "Required"      // a required field is empty
	ReasonInvalid       Reason = "Invalid"       // a field's value has the wrong form
	ReasonDuplicate     Reason = "Duplicate"     // a value that must be unique exists already
	ReasonDangling      Reason = "Dangling"      // a reference to an element that doesn't exist
	ReasonNotFound      Reason = "NotFound"      // the element to remove doesn't exist
	ReasonTwoUpdates    Reason = "TwoUpdates"    // one update ends and restores a user's access
	ReasonFixed         Reason = "Fixed"         // the change would replace an ID that never changes
	ReasonQuota         Reason = "Quota"         // more or longer than the limits of this package allow

	// ReasonCaller and those that follow say why a Region may not be added or removed: see Control.
	ReasonCaller            Reason = "Caller"            // the caller's account, Region or role may not do it
	ReasonConflict          Reason = "Conflict"          // it is there, or another Region is being added or removed
	ReasonAccountInstance   Reason = "AccountInstance"   // the instance is one account's
	ReasonActiveDirectory   Reason = "ActiveDirectory"   // the identity source is an Active Directory
	ReasonOwnDirectory      Reason = "OwnDirectory"      // the identity source is the instance's own directory
	ReasonOptInRegion       Reason = "OptInRegion"       // accounts must opt in to the Region
	ReasonUnsupportedRegion Reason = "UnsupportedRegion" // no commercial Region, or not one that is known
	ReasonResidency         Reason = "Residency"         // the operator's policy excludes the Region
	ReasonKeyType           Reason = "KeyType"           // the instance has no customer-managed key
	ReasonSingleRegionKey   Reason = "SingleRegionKey"   // the key is not a multi-Region key
	ReasonKeyReplica        Reason = "KeyReplica"        // the Region has no usable copy of the key; Error.Err says why
	ReasonApplications      Reason = "Applications"      // Error.Got names the applications that prevent it
)

// Exception returns the name that AWS's API for IAM Identity Center has for an error with this Reason. Errors of other
// packages have InternalServerException there.
func (r Reason) Exception() string {
	switch r {
	case ReasonCaller:
		return "AccessDeniedException"
	case ReasonConflict:
		return "ConflictException"
	case ReasonQuota:
		return "ServiceQuotaExceededException"
	case ReasonNotFound:
		return "ResourceNotFoundException"
	}
	return "ValidationException"
}

// Error is the type of every error that this package returns, except ErrConflict and errors that an update's own
// function returned.
type Error struct {
	Reason    Reason
	Rule      string // names what was checked, such as `userName of user`
	Want, Got string // the expected and the actual value, if there are two to compare
	Primary   string // the name of the primary Region if Reason is ReasonNotPrimary
	Err       error  // the cause, or nil
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Error implements error.
func (e *Error) Error() string {
	text := "center: " + string(e.Reason)
	if e.Rule != "" {
		text += ": " + e.Rule
	}
	var sides []string
	if e.Want != "" {
		sides = append(sides, "want "+e.Want)
	}
	if e.Got != "" {
		sides = append(sides, "got "+quote(e.Got))
	}
	if len(sides) > 0 {
		text += ": " + strings.Join(sides, ", ")
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// maxQuoted is the maximum length of a quoted input value in a message, in bytes.
const maxQuoted = 200

// quote quotes a value for one line of a log. It equals refusal.Quote: this package imports no other of the module.
func quote(s string) string {
	if len(s) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}
