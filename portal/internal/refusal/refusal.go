// Package refusal formats the errors of the portal's packages. Each package has its own Error type with a closed list
// of Reasons, and the same fields and form of message.
package refusal

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Message formats an error's fields. Rule, detail and want are this module's own text. Got is quoted, and it and the
// cause are cut short.
func Message(pkg, reason, rule, detail, want, got string, cause error) string {
	if want != "" {
		want = "want " + want
	}
	if got != "" {
		got = "got " + Quote(got)
	}
	text := ""
	if cause != nil {
		text = clip(cause.Error(), 1000) // it may have the same prefix
	}
	return join(": ", pkg, reason, rule, detail, join(", ", want, got), text)
}

func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), sep)
}

// Quote quotes a value for a line of a log, and cuts it to 200 bytes.
func Quote(s string) string { return strconv.Quote(clip(s, 200)) }

// Printable is Quote without the quotation marks, for slog, which adds its own.
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
