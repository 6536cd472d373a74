package saml

import "time"

// parseInstant reads an xs:dateTime (Core 1.3.3). SAML wants UTC; an offset is
// understood, and a time without either is taken as UTC, because that is what
// it can only mean.
func parseInstant(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		if bare, bareErr := time.Parse("2006-01-02T15:04:05", s); bareErr == nil {
			return bare, nil
		}
		return time.Time{}, err
	}
	return t.UTC(), nil
}

// begun reports whether now is at or after an instant that begins something
// (NotBefore, IssueInstant), for a clock that may be skew behind.
func begun(now, instant time.Time, skew time.Duration) bool { return !now.Add(skew).Before(instant) }

// notOver reports whether now is before an instant that ends something
// (NotOnOrAfter), for a clock that may be skew ahead. At the very instant, it
// is over. These two are the only places where skew is applied.
func notOver(now, instant time.Time, skew time.Duration) bool { return now.Add(-skew).Before(instant) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
