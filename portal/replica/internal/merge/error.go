package merge

import (
	"fmt"
	"unicode/utf8"
)

// An Error says what was refused. The caller knows what it was about to do, and
// adds the reason.
type Error struct{ Rule, Want, Got string }

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("merge: %s: want %s, got %s", e.Rule, e.Want, quote(e.Got))
}

// maxQuoted caps what a message repeats of a value from outside.
const maxQuoted = 200

// quote makes a value safe to stand in one line of a log.
func quote(s string) string {
	if len(s) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		return fmt.Sprintf("%q…", s[:cut])
	}
	return fmt.Sprintf("%q", s)
}
