package saml

import (
	"cmp"
	"errors"
	"strings"
	"time"
)

var errDateTime = errors.New("not an xs:dateTime such as 2006-01-02T15:04:05Z")

// parseDateTime reads an xs:dateTime (XML Schema Part 2, 3.2.7; Core 1.3.3) of years
// 0001 to 9999, in exactly the standard's lexical form. SAML requires UTC (Core
// 1.3.3), but an offset up to 14:00 is accepted, and a time without one is taken as
// UTC. 24:00:00 is the first instant of the next day. Digits of a second after the
// ninth are dropped.
func parseDateTime(s string) (time.Time, error) {
	const form = "0000-00-00T00:00:00"
	if len(s) < len(form) || !hasForm(s[:len(form)], form) {
		return time.Time{}, errDateTime
	}
	whole, rest := s[:len(form)], s[len(form):]
	zone := strings.TrimLeft(rest, ".0123456789")
	fraction := rest[:len(rest)-len(zone)]
	digits, pointed := strings.CutPrefix(fraction, ".")
	if fraction != "" && (!pointed || digits == "" || strings.Contains(digits, ".")) || !isZone(zone) {
		return time.Time{}, errDateTime
	}
	endOfDay := strings.HasSuffix(whole, "T24:00:00")
	if endOfDay {
		whole = whole[:len("2006-01-02T")] + "00:00:00"
	}
	if endOfDay || zone == "" {
		s = whole + fraction + cmp.Or(zone, "Z")
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || strings.HasPrefix(s, "0000") || endOfDay && at.Nanosecond() != 0 {
		return time.Time{}, errDateTime
	}
	if endOfDay {
		at = at.Add(24 * time.Hour)
	}
	return at.UTC(), nil
}

// hasForm reports whether s equals form with any digits in place of its zeros.
func hasForm(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if s[i] != form[i] && !(digit && form[i] == '0') {
			return false
		}
	}
	return true
}

// isZone reports whether s is Z, an offset up to 14:00, or nothing.
func isZone(s string) bool {
	if s == "" || s == "Z" {
		return true
	}
	return hasForm(s, s[:1]+"00:00") && strings.Contains("+-", s[:1]) && s[1:] <= "14:00" && s[4:] <= "59"
}

// begun reports whether now is at or after a NotBefore or IssueInstant, by a clock
// that may be skew behind.
func begun(now, instant time.Time, skew time.Duration) bool { return !now.Add(skew).Before(instant) }

// notOver reports whether now is before a NotOnOrAfter, by a clock that may be skew
// ahead. At the instant itself it returns false. Only begun and notOver apply skew.
func notOver(now, instant time.Time, skew time.Duration) bool { return now.Add(-skew).Before(instant) }

// earliest returns the earlier of two instants. Zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
