package center

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reason says why the package refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons.
const (
	ReasonNotPrimary    Reason = "NotPrimary"    // only the primary may make this write; Error.Primary names it
	ReasonNotAppRegion  Reason = "NotAppRegion"  // only the application's own Region may; Error.Want names it
	ReasonUnknownRegion Reason = "UnknownRegion" // the Region is not one of the instance's
	ReasonNotInUse      Reason = "NotInUse"      // the Region is being removed: nothing is written there
	ReasonPrimaryFixed  Reason = "PrimaryFixed"  // the change would remove or replace the primary Region
	ReasonRequired      Reason = "Required"      // a required field is empty
	ReasonInvalid       Reason = "Invalid"       // a field's value has the wrong form
	ReasonDuplicate     Reason = "Duplicate"     // a value that must be unique exists already
	ReasonDangling      Reason = "Dangling"      // a reference to an element that doesn't exist
	ReasonNotFound      Reason = "NotFound"      // the element to remove doesn't exist
	ReasonTwoUpdates    Reason = "TwoUpdates"    // one update ends and restores a user's access
	ReasonFixed         Reason = "Fixed"         // the change would replace an ID that never changes
	ReasonQuota         Reason = "Quota"         // more or longer than the limits of this package allow
)

// Error is the type of every error that this package returns, except ErrConflict and errors that an update's own
// function returned.
type Error struct {
	Reason    Reason
	Rule      string // names what was checked, such as `userName of user`
	Want, Got string // the expected and the actual value, if there are two to compare
	Primary   string // the name of the primary Region if Reason is ReasonNotPrimary
}

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
