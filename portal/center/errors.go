package center

import "github.com/meridian-saml/meridian/portal/internal/refusal"

// Reason says why the package refused. The list is closed. Compare with a Reason, never with a
// message.
type Reason string

// The reasons.
const (
	// ReasonNotPrimary: a write in an additional Region that only the primary may make.
	// Error.Primary names the primary.
	ReasonNotPrimary Reason = "NotPrimary"
	// ReasonNotAppRegion: a write to an application in another Region than its own, which
	// Error.Want names.
	ReasonNotAppRegion Reason = "NotAppRegion"
	// ReasonUnknownRegion: the Region is not one of the instance's.
	ReasonUnknownRegion Reason = "UnknownRegion"
	// ReasonPrimaryFixed: the change would remove or replace the primary Region.
	ReasonPrimaryFixed Reason = "PrimaryFixed"
	// ReasonRequired: a required field is empty.
	ReasonRequired Reason = "Required"
	// ReasonInvalid: a field's value has the wrong form.
	ReasonInvalid Reason = "Invalid"
	// ReasonDuplicate: a value that must be unique exists already.
	ReasonDuplicate Reason = "Duplicate"
	// ReasonDangling: an element refers to a user, group, account, permission set or Region that
	// doesn't exist.
	ReasonDangling Reason = "Dangling"
	// ReasonNotFound: the element to remove doesn't exist.
	ReasonNotFound Reason = "NotFound"
	// ReasonTwoUpdates: the update both ends a user's access, by removing or disabling the user,
	// and restores it. Make two updates, so that the user's earlier sessions end.
	ReasonTwoUpdates Reason = "TwoUpdates"
)

// Error is the type of every error that this package returns, except ErrConflict and errors that an
// update's own function returned.
type Error struct {
	Reason Reason
	// Rule names what was checked, such as `userName of user`.
	Rule string
	// Want and Got are the expected and the actual value, if there are two to compare.
	Want, Got string
	// Primary is the name of the primary Region if Reason is ReasonNotPrimary.
	Primary string
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("center", string(e.Reason), e.Rule, "", e.Want, e.Got, nil)
}
