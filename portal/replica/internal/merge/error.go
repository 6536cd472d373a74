package merge

import "github.com/meridian-saml/meridian/portal/internal/refusal"

// An Error says what was refused. The caller knows what it was about to do, and
// adds the reason.
type Error struct{ Rule, Want, Got string }

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("merge", "", e.Rule, "", e.Want, e.Got, nil)
}
