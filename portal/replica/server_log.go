package replica

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// serverLog passes on the warnings and errors of the embedded server, at their level.
// An unauthenticated client can cause some of them as often as it likes, so only the
// first few of each kind in a minute are passed on.
type serverLog struct {
	logger *slog.Logger
	limiter
}

// Bounds of what is logged of the embedded server in a minute.
const (
	maxServerLines = 5   // of one kind
	maxServerKinds = 100 // of kinds
)

func (l *serverLog) Noticef(string, ...any) {}
func (l *serverLog) Debugf(string, ...any)  {}
func (l *serverLog) Tracef(string, ...any)  {}

// Warnf logs a warning, unless it is about what this package does on purpose: Secret
// is a password, and Dir is the operator's choice.
func (l *serverLog) Warnf(f string, v ...any) {
	if !strings.HasPrefix(f, "Plaintext passwords detected") && !strings.HasPrefix(f, "Temporary storage directory used") {
		l.pass(slog.LevelWarn, f, v)
	}
}

// Errorf logs an error after which the server goes on.
func (l *serverLog) Errorf(f string, v ...any) { l.pass(slog.LevelError, f, v) }

// Fatalf logs an error after which the server stops.
func (l *serverLog) Fatalf(f string, v ...any) { l.pass(slog.LevelError, f, v) }

func (l *serverLog) pass(level slog.Level, format string, v []any) {
	more := []any{"message", fmt.Sprintf(format, v...)}
	switch n, _ := l.count(strings.Map(withoutDigits, format), time.Now()); {
	case n > maxServerLines:
		return
	case n == maxServerLines:
		more = append(more, "note", "more of this kind are left out for a minute")
	}
	l.logger.Log(context.Background(), level, "replica: server", more...)
}

// withoutDigits makes one kind of the formats of all clients, which hold the
// client's address and number.
func withoutDigits(r rune) rune {
	if '0' <= r && r <= '9' {
		return -1
	}
	return r
}

// A limiter counts events of several kinds by the minute, so that they can't fill
// the log.
type limiter struct {
	mu           sync.Mutex
	since        time.Time
	seen, before map[string]int // in this minute, and in the one before
}

// count counts an event of a kind. It returns how many there were in this minute,
// with this one, and in the one before.
func (l *limiter) count(kind string, now time.Time) (n, before int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= time.Minute {
		l.since, l.before, l.seen = now, l.seen, map[string]int{}
	}
	if _, known := l.seen[kind]; !known && len(l.seen) >= maxServerKinds {
		kind = ""
	}
	l.seen[kind]++
	return l.seen[kind], l.before[kind]
}
