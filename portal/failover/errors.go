package failover

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Reason says what went wrong. The list is closed; compare with it, never
// with a message.
type Reason string

// The reasons.
const (
	// ReasonConfig: New, ClientAddress.Order or Set was given something that
	// makes no sense.
	ReasonConfig Reason = "Config"
	// ReasonUnknownRegion: no Region has that name.
	ReasonUnknownRegion Reason = "UnknownRegion"
	// ReasonLastRegion: the Region is the only one that isn't Off, so it can't
	// be turned Off.
	ReasonLastRegion Reason = "LastRegion"
	// ReasonRunning: Run runs already.
	ReasonRunning Reason = "Running"
	// ReasonCanceled: the context ended before all Regions had answered.
	ReasonCanceled Reason = "Canceled"

	// What a failed probe says, in Status.LastError.

	// ReasonUnreachable: no connection, no TLS, or no HTTP.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonTimeout: no complete answer within Config.Timeout.
	ReasonTimeout Reason = "Timeout"
	// ReasonStatus: an answer that isn't 200.
	ReasonStatus Reason = "Status"
)

// An Error is the one type of error that this package makes.
type Error struct {
	Reason Reason
	// Rule names what was checked. Want and Got are both sides of the comparison,
	// where there was one.
	Rule, Want, Got string
	// Err is the cause, if there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "failover: %s: %s", e.Reason, e.Rule)
	if e.Want != "" {
		fmt.Fprintf(&b, ": want %s", e.Want)
	}
	if e.Got != "" {
		fmt.Fprintf(&b, ", got %q", clip(e.Got))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", clip(e.Err.Error()))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// maxQuoted caps what a message repeats of a value that came from outside.
const maxQuoted = 200

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	cut := maxQuoted
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func badConfig(rule, want, got string) *Error {
	return &Error{Reason: ReasonConfig, Rule: rule, Want: want, Got: got}
}
