package replica

import (
	"errors"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Reason says why the package refused or failed. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons.
const (
	// ReasonConfig: a value given to Open or AddPeer is invalid.
	ReasonConfig Reason = "Config"
	// ReasonUnavailable: the Region's own server did not answer. The operation may or may not have happened.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonNotReady: the instance is not replicated to this Region yet, or a copy of another Region's revocations was
	// damaged. So this Region may not know of sessions that were revoked elsewhere.
	ReasonNotReady Reason = "NotReady"
	// ReasonCorrupt: stored data can't be read.
	ReasonCorrupt Reason = "Corrupt"
	// ReasonKey: the key that seals the Region's data may not be used, or doesn't answer. Err is the error of the Sealer,
	// with the reason. This Region stops, and serves again when the key may be used; other Regions go on.
	ReasonKey Reason = "Key"
	// ReasonVersion: stored or sent data needs another version of this package. The error names the format or kind that
	// the version must support. No data is damaged or lost.
	ReasonVersion Reason = "Version"
	// ReasonDamaged: the streams on the Region's own server are incomplete, outdated, or another Region's. Got
	// describes the damage. Open fails, and a running Region that detects the damage stops. Config.Recover restores
	// missing data from other Regions' copies.
	ReasonDamaged Reason = "Damaged"
	// ReasonTooLarge: an element doesn't fit into a message, or a Region sends more than Config.MaxRecover.
	ReasonTooLarge Reason = "TooLarge"
	// ReasonClosed: the Node was closed.
	ReasonClosed Reason = "Closed"
	// ReasonRemoved: the primary removed the Region, and its data is erased. From AddPeer: it removed the peer.
	ReasonRemoved Reason = "Removed"
	// ReasonNotListed: the primary doesn't list the Region, which serves nothing and keeps its data.
	ReasonNotListed Reason = "NotListed"
)

// Error is the type of every error that this package returns, except sentinel errors of packages portal and center.
type Error struct {
	Reason Reason
	// Rule names what was checked or done. Want and Got are the expected and the actual value, if there are two.
	Rule, Want, Got string
	// Err is the cause, or nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	return refusal.Message("replica", string(e.Reason), e.Rule, "", e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func newError(r Reason, rule, want, got string) *Error {
	return &Error{Reason: r, Rule: rule, Want: want, Got: got}
}

// asError makes a nil error of a nil *Error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

func unavailable(what string, err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Want: "an answer of the Region's own server", Err: err}
}

// mergeError makes an *Error of one of package merge.
func mergeError(r Reason, err error) error {
	e, ok := errors.AsType[*merge.Error](err)
	if !ok {
		return &Error{Reason: r, Rule: "record", Err: err}
	}
	return newError(r, e.Rule, e.Want, e.Got)
}

// Errors that callers within the package compare with.
var (
	errBehind    = errors.New("replica: the follower is ahead in this stream") // the server may be a deposed leader
	errConflict  = errors.New("replica: another write came first")
	errGap       = errors.New("replica: a message is missing") // between the server and the Node
	errLocked    = errors.New("replica: another Node has this directory")
	errNotCopied = errors.New("replica: the Region's own server takes no copies")
	errStalled   = errors.New("replica: an earlier write has no answer")
	errSuspected = errors.New("replica: the copy was damaged") // and its Region answers
)
