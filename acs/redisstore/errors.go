package redisstore

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reason says what is wrong. The set is closed. What the contract of
// [acs.Store] has names for is said with those, not with an [Error].
type Reason string

const (
	// ReasonConfig: what New was given makes no sense.
	ReasonConfig Reason = "Config"
	// ReasonKey: not a key as the contract of acs.Store has them.
	ReasonKey Reason = "Key"
	// ReasonPolicy: Redis is set to drop records when its memory is full, or
	// won't say what it is set to. New says so, and every Add as long as it is
	// so, which stores nothing then.
	ReasonPolicy Reason = "Policy"
	// ReasonUnavailable: Redis did not answer, or not in time, or said that
	// it can't. Whether the call worked is then unknown.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonForgotten: Redis was flushed, started again or replaced by a replica,
	// or has evicted keys.
	// The call failed, and Since has moved.
	ReasonForgotten Reason = "Forgotten"
)

// Error is the one error type of this package.
type Error struct {
	Reason Reason
	// Rule names the field of Config, the setting of Redis, or the call.
	Rule string
	// Want and Got are both sides of the comparison, where there was one.
	Want, Got string
	// Detail says more, where Want and Got can't.
	Detail string
	// Err is the cause, where there is one.
	Err error
}

// Error gives the message, cut short.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("redisstore: " + string(e.Reason))
	for _, part := range []string{e.Rule, e.Detail} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Want != "" || e.Got != "" {
		fmt.Fprintf(&b, ": want %s, got %s", strconv.Quote(clip(e.Want)), strconv.Quote(clip(e.Got)))
	}
	if e.Err != nil {
		b.WriteString(": " + clip(e.Err.Error()))
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

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

func unavailable(call string, err error) error {
	return &Error{Reason: ReasonUnavailable, Rule: call, Err: err}
}
