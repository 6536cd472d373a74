package saml

import (
	"iter"
	"strconv"
	"strings"
	"time"
)

// This file reads the simple types of XML Schema Part 2 that SAML's metadata
// uses. All of them have the white space facet "collapse", so " true " is true;
// an xs:string keeps its white space and needs no function. xs:dateTime stands
// in instant.go.

// xmlSpace is what XML calls white space (XML 1.0, 2.3).
const xmlSpace = " \t\r\n"

func isXMLSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

// collapse is the white space facet of that name (XML Schema Part 2, 4.3.6): no
// white space at the ends, and one blank for each run of it inside.
func collapse(s string) string {
	if !strings.ContainsAny(s, xmlSpace) {
		return s
	}
	var b strings.Builder
	for word := range listItems(s) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// listItems gives the items of a list type (2.5.1.2), which are separated by
// white space. They are not gathered: a document can hold millions.
func listItems(s string) iter.Seq[string] { return strings.FieldsFuncSeq(s, isXMLSpace) }

// parseBoolean reads an xs:boolean (3.2.2).
func parseBoolean(s string) (value, ok bool) {
	switch collapse(s) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// parseUnsignedShort reads an xs:unsignedShort (3.3.23), the type of an
// endpoint's index.
func parseUnsignedShort(s string) (uint16, bool) {
	s = strings.TrimPrefix(collapse(s), "+")
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil
}

// parseDuration reads an xs:duration (3.2.6). Months and years have no fixed
// length; the shortest is taken, 28 and 365 days, because a duration here is a
// time after which something is to be read again. What is longer than a
// time.Duration can say is the longest that it can.
func parseDuration(s string) (time.Duration, bool) {
	s = collapse(s)
	s, negative := strings.CutPrefix(s, "-")
	s, ok := strings.CutPrefix(s, "P")
	if !ok {
		return 0, false
	}
	date, clock, hasClock := strings.Cut(s, "T")
	seconds, ok1 := sumUnits(date, "YMD", []float64{365 * 86400, 28 * 86400, 86400})
	more, ok2 := sumUnits(clock, "HMS", []float64{3600, 60, 1})
	if !ok1 || !ok2 || date == "" && clock == "" || hasClock && clock == "" {
		return 0, false
	}
	const longest = float64(1<<63-1) / float64(time.Second)
	d := time.Duration(1<<63 - 1)
	if total := seconds + more; total < longest {
		d = time.Duration(total * float64(time.Second))
	}
	if negative {
		d = -d
	}
	return d, true
}

// sumUnits adds numbers that are each followed by one of units, in their order
// and each at most once. Only seconds may have a fraction.
func sumUnits(s, units string, worth []float64) (sum float64, ok bool) {
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if end <= 0 {
			return 0, false
		}
		at := strings.IndexByte(units, s[end])
		digits := s[:end]
		whole, fraction, pointed := strings.Cut(digits, ".")
		switch {
		case at < 0, whole == "", pointed && (s[end] != 'S' || fraction == "" || strings.Contains(fraction, ".")):
			return 0, false
		}
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil && n == 0 { // one that is too large is infinite, and an error
			return 0, false
		}
		sum += n * worth[at]
		units, worth, s = units[at+1:], worth[at+1:], s[end+1:]
	}
	return sum, true
}
