package center

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Reason says why the package refused. The list is closed; compare with it,
// never with a message.
type Reason string

// The reasons.
const (
	// ReasonNotPrimary: a write was asked of an additional Region.
	// Error.Primary names the Region to ask instead.
	ReasonNotPrimary Reason = "NotPrimary"
	// ReasonNotAppRegion: a write to an application was asked of another
	// Region than the application's own, which Error.Want names.
	ReasonNotAppRegion Reason = "NotAppRegion"
	// ReasonUnknownRegion: the instance is not extended to this Region.
	ReasonUnknownRegion Reason = "UnknownRegion"
	// ReasonPrimaryFixed: the change would remove or replace the primary Region.
	ReasonPrimaryFixed Reason = "PrimaryFixed"
	// ReasonRequired: a field that must have a value is empty.
	ReasonRequired Reason = "Required"
	// ReasonInvalid: a field's value has the wrong form.
	ReasonInvalid Reason = "Invalid"
	// ReasonDuplicate: a value that must be unique is there already.
	ReasonDuplicate Reason = "Duplicate"
	// ReasonDangling: something refers to a user, group, account, permission
	// set or Region that is not there.
	ReasonDangling Reason = "Dangling"
	// ReasonNotFound: what should be removed is not there.
	ReasonNotFound Reason = "NotFound"
	// ReasonTwoUpdates: the update ends a user's access, by removing or
	// disabling the user, and gives it back. Each is an update of its own, so
	// that sessions from before end.
	ReasonTwoUpdates Reason = "TwoUpdates"
)

// An Error is the one type of error that this package returns, apart from
// errors that an update's own function made.
type Error struct {
	Reason Reason
	// Rule names what it is about, such as `userName of user`.
	Rule string
	// Want and Got are both sides of the comparison, where there was one.
	Want, Got string
	// Primary is the name of the primary Region where Reason is ReasonNotPrimary.
	Primary string
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "center: %s: %s", e.Reason, e.Rule)
	if e.Want != "" {
		fmt.Fprintf(&b, ": want %s", e.Want)
	}
	if e.Got != "" {
		fmt.Fprintf(&b, ", got %s", quote(e.Got))
	}
	return b.String()
}

// maxQuoted caps what a message repeats of a value that came from outside, as
// in the portal's other packages, which share a package for it. This one imports
// none of the module's.
const maxQuoted = 200

// quote makes a value safe to stand in one line of a log.
func quote(s string) string {
	if len(s) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		return fmt.Sprintf("%q…", s[:cut])
	}
	return fmt.Sprintf("%q", s)
}
