// Package storeerr is what acs and its stores have in common: how an error
// reads, and of the stores, what keys and configs have to be and how they keep
// since when they remember. Each package has its own type of error, with a
// closed list of Reasons; all have the same fields.
package storeerr

import (
	"strconv"
	"unicode/utf8"
)

// Message is an error's fields as text. Rule and detail are this module's own;
// both sides are quoted, and they and the cause are cut short.
func Message(pkg, reason, rule, detail, want, got string, cause error) string {
	text := pkg + ": " + reason
	for _, part := range []string{rule, detail} {
		if part != "" {
			text += ": " + part
		}
	}
	if want != "" || got != "" {
		text += ": want " + Quote(want) + ", got " + Quote(got)
	}
	if cause != nil {
		text += ": " + clip(cause.Error())
	}
	return text
}

// Quote makes a value from outside fit to be shown.
func Quote(s string) string { return strconv.Quote(clip(s)) }

// Printable is the inside of Quote, for where something else adds quotes.
func Printable(s string) string {
	q := Quote(s)
	return q[1 : len(q)-1]
}

// maxQuoted bounds how much of a value from outside is repeated, in bytes.
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
