// Package storeerr is what acs and its stores share: the text of their errors; and for the stores, the
// checks of keys and configs, and the record of since when a store remembers. Each package has its own
// error type with a closed list of Reasons; all have the same fields.
package storeerr

import (
	"cmp"
	"regexp"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// Message returns the text of an error. want and got are quoted, and they and the cause are cut short.
func Message(pkg, reason, rule, detail, want, got string, cause error) string {
	text := pkg + ": " + reason
	for _, part := range []string{rule, detail} {
		if part != "" {
			text += ": " + part
		}
	}
	if want != "" || got != "" {
		text += ": want " + Quote(want) + ", got " + Quote(got)
	}
	if cause != nil {
		text += ": " + clip(cause.Error())
	}
	return text
}

// Quote returns a value from outside, cut short and quoted.
func Quote(s string) string { return strconv.Quote(clip(s)) }

// Printable is Quote without the quotation marks, for text that will be quoted elsewhere.
func Printable(s string) string {
	q := Quote(s)
	return q[1 : len(q)-1]
}

// maxQuoted bounds how much of a value from outside is repeated, in bytes.
const maxQuoted = 200

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	cut := maxQuoted
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

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
	*maxRequests = cmp.Or(*maxRequests, 100_000)
	*timeout = cmp.Or(*timeout, 5*time.Second)
	return ""
}

// WantKey describes a key, by the contract of acs.Store.
const WantKey = "1 to 100 of a-z, 0-9 and '.'"

// Key matches the valid keys.
var Key = regexp.MustCompile(`^[a-z0-9.]{1,100}$`)

// Memory holds the instant since which a store remembers, and the marker in the store that proves it: while
// the marker is the same, nothing was lost. It is safe for concurrent use.
type Memory[M any] struct {
	Learning sync.Mutex // held while Since is being moved

	mu    sync.Mutex
	mark  M
	since time.Time // never moves back
}

// Since implements acs.Rememberer.
func (m *Memory[M]) Since() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// Mark returns the known marker.
func (m *Memory[M]) Mark() M {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark
}

// Learn sets the marker, and the instant since which it proves that nothing was lost.
func (m *Memory[M]) Learn(mark M, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mark = mark
	if since.After(m.since) {
		m.since = since
	}
}

// Change changes the known marker.
func (m *Memory[M]) Change(change func(*M)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.mark)
}

// Forget is called when a marker no longer holds. If it is still the known one, Forget calls learn, so
// learn is called once for all calls that notice the same loss.
func (m *Memory[M]) Forget(isLost func(M) bool, learn func() error) error {
	m.Learning.Lock()
	defer m.Learning.Unlock()
	if !isLost(m.Mark()) {
		return nil
	}
	return learn()
}
