package saml

import (
	"cmp"
	"iter"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// This file reads the simple types of XML Schema Part 2 that SAML's metadata uses.
// All of them have the whiteSpace facet "collapse", so " true " is true. xs:dateTime
// is in instant.go.

// xmlSpace is white space in XML (XML 1.0, 2.3).
const xmlSpace = " \t\r\n"

func isXMLSpace(r rune) bool { return strings.ContainsRune(xmlSpace, r) }

// collapse applies the whiteSpace facet "collapse" (XML Schema Part 2, 4.3.6): it
// removes white space at both ends, and replaces each run of it by one space.
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

// listItems iterates over the items of a list type (2.5.1.2), which are separated by
// white space. It doesn't collect them, because a document can have millions.
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

var durationForm = regexp.MustCompile(
	`^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)

const maxDuration = 1000

// parseDuration reads an xs:duration (3.2.6). Months and years have no fixed length.
// They count as their shortest lengths, 28 and 365 days, because the duration says
// when to fetch something again. A duration that overflows time.Duration becomes its
// maximum. A text of more than maxDuration bytes is refused, because matching
// costs 0.4 s a megabyte.
func parseDuration(s string) (time.Duration, bool) {
	if len(s) > maxDuration {
		return 0, false
	}
	s = collapse(s)
	parts := durationForm.FindStringSubmatch(s)
	if parts == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return 0, false
	}
	total := 0.0
	for i, seconds := range []float64{365 * 86400, 28 * 86400, 86400, 3600, 60, 1} {
		n, _ := strconv.ParseFloat(cmp.Or(parts[i+2], "0"), 64) // infinite if it is too large
		total += n * seconds
	}
	d := time.Duration(math.MaxInt64)
	if total < d.Seconds() {
		d = time.Duration(total * float64(time.Second))
	}
	if parts[1] != "" {
		d = -d
	}
	return d, true
}
