package replica_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// lines is a log that says what was logged at which level.
type lines struct {
	mu  sync.Mutex
	all []slog.Record
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, r.Clone())
	return nil
}

// from returns what was logged at a level or above.
func (l *lines) from(level slog.Level) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.all {
		if r.Level >= level {
			text := r.Message
			r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
			out = append(out, text)
		}
	}
	return out
}

// A warning of the embedded server is logged as a warning, such as about a damaged file that it
// doesn't need.
func TestWarningsOfTheServerAreLoggedAsSuch(t *testing.T) {
	l := &lines{}
	c := configOf(virginia, t.TempDir())
	open(t, c).Close()
	states, err := filepath.Glob(filepath.Join(c.Dir, "jetstream", "*", "streams", "KV_config_us-east-1", "msgs",
		"index.db"))
	require.NoError(t, err)
	require.Len(t, states, 1)
	require.NoError(t, os.Truncate(states[0], 20))
	c.Logger = slog.New(l)
	open(t, c)
	require.NotEmpty(t, l.from(slog.LevelWarn))
	require.Empty(t, l.from(slog.LevelError))
	require.Contains(t, strings.Join(l.from(slog.LevelWarn), "\n"), "replica: server")
}

// Clients without Secret are logged, and can't fill the log.
func TestRefusedClientsAreLoggedAndNotWithoutEnd(t *testing.T) {
	l := &lines{}
	c := configOf(virginia, t.TempDir())
	c.Logger = slog.New(l)
	n := open(t, c)
	require.Empty(t, l.from(slog.LevelWarn), "an ordinary start")
	const tries = 50
	for range tries {
		_, err := nats.Connect(n.Addr(), nats.UserInfo("peer", "not the secret"), nats.Timeout(hang))
		require.ErrorIs(t, err, nats.ErrAuthorization)
	}
	got := l.from(slog.LevelError)
	require.NotEmpty(t, got)
	require.Less(t, len(got), tries/2)
	require.Contains(t, strings.Join(got, "\n"), "authentication error")
}
