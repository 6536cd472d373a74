package replica

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// serverLog passes on what the embedded server warns of, at its level. An
// unauthenticated client can cause some of these lines as often as it likes, so
// of each kind only the first few in a minute are passed on.
type serverLog struct {
	logger *slog.Logger

	mu    sync.Mutex
	since time.Time
	seen  map[string]int // by kind, since then
}

// Bounds of what is logged of the embedded server in a minute.
const (
	maxServerLines = 5   // of one kind
	maxServerKinds = 100 // of kinds
)

func newServerLog(l *slog.Logger) *serverLog { return &serverLog{logger: l, seen: map[string]int{}} }

func (l *serverLog) Noticef(string, ...any) {}
func (l *serverLog) Debugf(string, ...any)  {}
func (l *serverLog) Tracef(string, ...any)  {}

// Warnf logs a warning of the server's.
func (l *serverLog) Warnf(f string, v ...any) {
	if !expected(f) {
		l.pass(slog.LevelWarn, f, v)
	}
}

// Errorf logs an error of the server's. It goes on.
func (l *serverLog) Errorf(f string, v ...any) { l.pass(slog.LevelError, f, v) }

// Fatalf logs an error that the server can't go on from.
func (l *serverLog) Fatalf(f string, v ...any) { l.pass(slog.LevelError, f, v) }

// expected says whether a warning is about what package replica does on
// purpose: Secret is a password, and Dir is the operator's choice.
func expected(format string) bool {
	return strings.HasPrefix(format, "Plaintext passwords detected") || strings.HasPrefix(format, "Temporary storage directory used")
}

func (l *serverLog) pass(level slog.Level, format string, v []any) {
	var more []any
	switch n := l.count(format, time.Now()); {
	case n > maxServerLines:
		return
	case n == maxServerLines:
		more = []any{"note", "more of this kind are left out for a minute"}
	}
	l.logger.Log(context.Background(), level, "replica: server", append([]any{"message", fmt.Sprintf(format, v...)}, more...)...)
}

// count says how many lines of a kind there were in this minute, with this one.
func (l *serverLog) count(format string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.since) >= time.Minute {
		l.since = now
		clear(l.seen)
	}
	kind := strings.Map(withoutDigits, format)
	if _, known := l.seen[kind]; !known && len(l.seen) >= maxServerKinds {
		kind = ""
	}
	l.seen[kind]++
	return l.seen[kind]
}

// withoutDigits makes one kind of the formats of all clients, which hold the
// client's address and number.
func withoutDigits(r rune) rune {
	if '0' <= r && r <= '9' {
		return -1
	}
	return r
}
