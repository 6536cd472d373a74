// Package storeerr is what acs and its stores share: the text of their errors; and for the stores, the
// checks of keys and configs, and the record of since when a store remembers. Each package has its own
// error type with a closed list of Reasons; all have the same fields.
package storeerr

import (
	"strconv"
	"unicode/utf8"
)

// Message returns the text of an error. want and got are quoted, and they and the cause are cut short.
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

// Quote returns a value from outside, cut short and quoted.
func Quote(s string) string { return strconv.Quote(clip(s)) }

// Printable is Quote without the quotation marks, for text that will be quoted elsewhere.
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
