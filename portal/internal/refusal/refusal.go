// Package refusal writes the errors of the portal's packages. Each package has
// its own type, with a closed list of Reasons; all have the same fields, and
// the same message is made of them. Package center, which imports none of the
// module's, has a copy of what it needs.
package refusal

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Message is an error's fields as text. Want is this module's own, and so are
// Rule and Detail; Got is quoted, and cut short as the cause is.
func Message(pkg, reason, rule, detail, want, got string, cause error) string {
	var parts []string
	for _, part := range []string{pkg, reason, rule, detail} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	var sides []string
	if want != "" {
		sides = append(sides, "want "+want)
	}
	if got != "" {
		sides = append(sides, "got "+Quote(got))
	}
	if len(sides) > 0 {
		parts = append(parts, strings.Join(sides, ", "))
	}
	if cause != nil {
		parts = append(parts, clip(cause.Error(), maxCause))
	}
	return strings.Join(parts, ": ")
}

// These cap what a message repeats, in bytes: of a value that came from
// outside, and of a cause, which may be an error like this one, with its own.
const (
	maxQuoted = 200
	maxCause  = 1000
)

// Quote makes a value safe to stand in one line of a log.
func Quote(s string) string { return strconv.Quote(clip(s, maxQuoted)) }

// Printable is the inside of Quote, for where something else adds quotes.
func Printable(s string) string {
	q := Quote(s)
	return q[1 : len(q)-1]
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
