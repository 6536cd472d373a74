package audit

import (
	"errors"
	"strconv"
	"strings"
)

// Reason says why the package refused or failed. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons.
const (
	// ReasonConfig: a field of Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonEvent: an event is too large, or has no name. It was not written.
	ReasonEvent Reason = "Event"
	// ReasonLocked: another process, or another Log, writes to the directory.
	ReasonLocked Reason = "Locked"
	// ReasonKey: the Sealer's key can't be used now. An event is kept in memory, and written when the key can be used.
	ReasonKey Reason = "Key"
	// ReasonUnavailable: the disk didn't answer in time, or failed. An event is kept in memory, and written later.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonBusy: too many events wait for the disk. The event was not written.
	ReasonBusy Reason = "Busy"
	// ReasonClosed: the Log is closed.
	ReasonClosed Reason = "Closed"
	// ReasonDamaged: a part of a file can't be read, or events are missing. Rule has the file, Want the events, Got the
	// bytes. Everything else is read.
	ReasonDamaged Reason = "Damaged"
)

// Error is the type of every error that this package returns.
type Error struct {
	Reason Reason
	// Rule names what was checked or done. Want and Got are the expected and the actual value, if there are two.
	Rule, Want, Got string
	// Err is the cause, or nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	text := "audit: " + string(e.Reason)
	if e.Rule != "" {
		text += ": " + e.Rule
	}
	var sides []string
	if e.Want != "" {
		sides = append(sides, "want "+e.Want)
	}
	if e.Got != "" {
		sides = append(sides, "got "+strconv.Quote(cut(e.Got, maxQuoted)))
	}
	if len(sides) > 0 {
		text += ": " + strings.Join(sides, ", ")
	}
	if e.Err != nil {
		text += ": " + cut(e.Err.Error(), 5*maxQuoted)
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// maxQuoted is the maximum length of a quoted value in a message, in bytes.
const maxQuoted = 200

func newError(r Reason, rule, want, got string) *Error {
	return &Error{Reason: r, Rule: rule, Want: want, Got: got}
}

func unavailable(what string, err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Err: err}
}

// reasonOf returns the Reason of an error of this package, or "".
func reasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
