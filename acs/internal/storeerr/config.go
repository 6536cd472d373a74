package storeerr

import (
	"regexp"
	"time"
)

// SetDefaults fills in the zero fields that the stores' configs share. It returns the name of one that is
// negative, or "".
func SetDefaults(maxRequests *int, margin, timeout *time.Duration) (negative string) {
	switch {
	case *maxRequests < 0:
		return "MaxRequests"
	case *margin < 0:
		return "Margin"
	case *timeout < 0:
		return "Timeout"
	}
	if *maxRequests == 0 {
		*maxRequests = 100_000
	}
	if *timeout == 0 {
		*timeout = 5 * time.Second
	}
	return ""
}

// WantKey describes a key, by the contract of acs.Store.
const WantKey = "1 to 100 of a-z, 0-9 and '.'"

var keys = regexp.MustCompile(`^[a-z0-9.]{1,100}$`)

// IsKey reports whether key is a valid key.
func IsKey(key string) bool { return keys.MatchString(key) }
