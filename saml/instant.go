package saml

import (
	"fmt"
	"time"
)

// parseDateTime reads an xs:dateTime (XML Schema Part 2, 3.2.7; Core 1.3.3):
// exactly the lexical form that the standard has, of years 0001 to 9999. SAML
// wants UTC. An offset is understood, up to 14:00, and a time without one is
// taken as UTC, which is the only thing it can mean here. 24:00:00 is the first
// instant of the next day. Digits of a second beyond the ninth are dropped.
func parseDateTime(s string) (time.Time, error) {
	date, clock, ok := cutAt(s, len("2006-01-02"), 'T')
	if !ok {
		return time.Time{}, errDateTime
	}
	clock, offset, ok := cutZone(clock)
	if !ok {
		return time.Time{}, errDateTime
	}
	year, month, day, ok := threeNumbers(date, '-', 4)
	if !ok || year == 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return time.Time{}, errDateTime
	}
	whole, fraction, ok := cutFraction(clock)
	if !ok {
		return time.Time{}, errDateTime
	}
	hour, minute, second, ok := threeNumbers(whole, ':', 2)
	endOfDay := hour == 24 && minute == 0 && second == 0 && fraction == 0
	if !ok || hour > 23 && !endOfDay || minute > 59 || second > 59 {
		return time.Time{}, errDateTime
	}
	at := time.Date(year, time.Month(month), day, hour, minute, second, fraction, time.UTC)
	return at.Add(-offset), nil
}

var errDateTime = fmt.Errorf("not an xs:dateTime such as 2006-01-02T15:04:05Z")

func cutAt(s string, at int, separator byte) (before, after string, ok bool) {
	if len(s) <= at || s[at] != separator {
		return "", "", false
	}
	return s[:at], s[at+1:], true
}

// cutZone takes the time zone from the end: Z, an offset up to 14:00, or
// nothing.
func cutZone(s string) (clock string, offset time.Duration, ok bool) {
	if len(s) > 0 && s[len(s)-1] == 'Z' {
		return s[:len(s)-1], 0, true
	}
	at := len(s) - len("+14:00")
	if at < 0 || s[at] != '+' && s[at] != '-' {
		return s, 0, true
	}
	hours, ok1 := number(s[at+1 : at+3])
	minutes, ok2 := number(s[at+4:])
	if !ok1 || !ok2 || s[at+3] != ':' || minutes > 59 || hours > 14 || hours == 14 && minutes > 0 {
		return "", 0, false
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[at] == '-' {
		offset = -offset
	}
	return s[:at], offset, true
}

// cutFraction takes what follows the whole seconds, in nanoseconds.
func cutFraction(s string) (whole string, nanoseconds int, ok bool) {
	const wholeLen = len("15:04:05")
	if len(s) == wholeLen {
		return s, 0, true
	}
	whole, digits, ok := cutAt(s, wholeLen, '.')
	if !ok || digits == "" {
		return "", 0, false
	}
	unit := int(time.Second)
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", 0, false
		}
		unit /= 10
		nanoseconds += int(digits[i]-'0') * unit
	}
	return whole, nanoseconds, true
}

// threeNumbers reads "2006-01-02" or "15:04:05"; the first has so many digits.
func threeNumbers(s string, separator byte, first int) (a, b, c int, ok bool) {
	if len(s) != first+6 || s[first] != separator || s[first+3] != separator {
		return 0, 0, 0, false
	}
	a, ok1 := number(s[:first])
	b, ok2 := number(s[first+1 : first+3])
	c, ok3 := number(s[first+4:])
	return a, b, c, ok1 && ok2 && ok3
}

// number reads decimal digits, of which there are few, and nothing else.
func number(digits string) (n int, ok bool) {
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		n = 10*n + int(digits[i]-'0')
	}
	return n, digits != ""
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// begun reports whether now is at or after an instant that begins something
// (NotBefore, IssueInstant), for a clock that may be skew behind.
func begun(now, instant time.Time, skew time.Duration) bool { return !now.Add(skew).Before(instant) }

// notOver reports whether now is before an instant that ends something
// (NotOnOrAfter), for a clock that may be skew ahead. At the very instant, it
// is over. These two are the only places where skew is applied.
func notOver(now, instant time.Time, skew time.Duration) bool { return now.Add(-skew).Before(instant) }

// earliest treats a zero time as "never".
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
