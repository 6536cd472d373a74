package replica

import (
	"errors"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A Reason says why the package refused or failed. The list is closed; compare
// with it, never with a message.
type Reason string

// The reasons.
const (
	// ReasonConfig: Open or AddPeer was given something it can't work with.
	ReasonConfig Reason = "Config"
	// ReasonUnavailable: the Region's own server did not answer. What was
	// asked for may or may not have happened.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonNotReady: the instance is not replicated to this Region yet, so
	// nobody can tell who was revoked elsewhere.
	// It was, and a copy of what another Region ended was damaged since.
	ReasonNotReady Reason = "NotReady"
	// ReasonCorrupt: something that was stored can't be read back.
	ReasonCorrupt Reason = "Corrupt"
	// ReasonVersion: what was stored or sent needs another version of this
	// package. The error names the format or kind that the version must know.
	// Nothing is damaged, and nothing was lost.
	ReasonVersion Reason = "Version"
	// ReasonDamaged: what the Region's own server keeps is not what this Region
	// wrote: some of it is lost, or older, or another Region's. Got says what was
	// found. Open refuses to start on it, and a Region that finds out later stops.
	// Config.Recover takes what is missing from other Regions' copies.
	ReasonDamaged Reason = "Damaged"
	// ReasonTooLarge: one element doesn't fit into a message, or Config.Recover
	// names a Region that sends more than Config.MaxRecover.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonClosed: the Node was closed.
	ReasonClosed Reason = "Closed"
	// ReasonRemoved: the primary removed the Region from the instance. What it
	// had is erased. Of a peer: it isn't followed.
	ReasonRemoved Reason = "Removed"
	// ReasonNotListed: the primary doesn't list the Region, and does not say that
	// it was removed. The Region serves nothing, and keeps what it has.
	ReasonNotListed Reason = "NotListed"
)

// An Error is the one type of error that this package makes. The sentinels of
// packages portal and center are returned as they are.
type Error struct {
	Reason Reason
	// Rule names what it is about. Want and Got are both sides of the comparison,
	// where there was one.
	Rule, Want, Got string
	// Err is the cause, if there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("replica", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func unavailable(what string, err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Want: "an answer of the Region's own server", Err: err}
}

// refused makes an *Error of what package merge refused.
func refused(r Reason, err error) error {
	var e *merge.Error
	if !errors.As(err, &e) {
		return &Error{Reason: r, Rule: "record", Err: err}
	}
	return &Error{Reason: r, Rule: e.Rule, Want: e.Want, Got: e.Got}
}
