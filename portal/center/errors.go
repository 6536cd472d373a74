package center

import "github.com/meridian-saml/meridian/portal/internal/refusal"

// Reason says why the package refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons.
const (
	ReasonNotPrimary    Reason = "NotPrimary"    // only the primary may make this write; Error.Primary names it
	ReasonNotAppRegion  Reason = "NotAppRegion"  // only the application's own Region may; Error.Want names it
	ReasonUnknownRegion Reason = "UnknownRegion" // the Region is not one of the instance's
	ReasonPrimaryFixed  Reason = "PrimaryFixed"  // the change would remove or replace the primary Region
	ReasonRequired      Reason = "Required"      // a required field is empty
	ReasonInvalid       Reason = "Invalid"       // a field's value has the wrong form
	ReasonDuplicate     Reason = "Duplicate"     // a value that must be unique exists already
	ReasonDangling      Reason = "Dangling"      // a reference to an element that doesn't exist
	ReasonNotFound      Reason = "NotFound"      // the element to remove doesn't exist
	ReasonTwoUpdates    Reason = "TwoUpdates"    // ends and restores a user's access, so earlier sessions would not end
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
	return refusal.Message("center", string(e.Reason), e.Rule, "", e.Want, e.Got, nil)
}
