package portal

import (
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// maxCodes is how many codes of one sign-in can be alive at once. Each is
// written to disk and goes to every Region, and a person with a script could
// ask for them without end. Nobody opens so many portals within codeLifetime.
// It is not by session: each code makes another session.
const maxCodes = 20

// maxPageCodes is how many of these can be for handoffs that no user is known to
// have begun. A foreign page that navigates its window to a handoff on and on
// would otherwise keep the user from opening other portals.
const maxPageCodes = maxCodes / 2

// maxSessions is how many sessions of one sign-in may be alive, in all Regions.
// Each portal that the person opens has one.
const maxSessions = 64

// A handed counts, in this process, the codes that each sign-in was given and
// that are not over yet. The zero value is ready.
type handed struct {
	mu    sync.Mutex
	until map[string][]time.Time // by sign-in: when its codes are over, in order
	swept time.Time
}

// allow says whether the sign-in may have one more code for a handoff that was
// begun like this, and counts it.
func (h *handed) allow(key string, by acs.Initiator, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until == nil {
		h.until = map[string][]time.Time{}
	}
	if now.Sub(h.swept) >= codeLifetime {
		h.swept = now
		for k, codes := range h.until {
			if codes = alive(codes, now); len(codes) == 0 {
				delete(h.until, k)
			}
		}
	}
	codes := alive(h.until[key], now)
	if len(codes) >= maxCodes || by == acs.InitiatorPage && len(codes) >= maxPageCodes {
		return false
	}
	h.until[key] = append(codes, now.Add(codeLifetime))
	return true
}

// alive leaves out what is over.
func alive(until []time.Time, now time.Time) []time.Time {
	for len(until) > 0 && !now.Before(until[0]) {
		until = until[1:]
	}
	return until
}
