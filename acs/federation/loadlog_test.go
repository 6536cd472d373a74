package federation_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// loadReports counts what a Region's sources reported, by "source Reason".
type loadReports struct {
	mu sync.Mutex
	n  map[string]int
}

func (r *loadReports) ObserveMetadata(source string, _, _ time.Duration, _ int, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n[source+" "+reason]++
}

func (r *loadReports) count(source, reason string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n[source+" "+reason]
}

// loadLog is a slog.Handler that has the Reason and text of each refusal, by the
// reference on its page.
type loadLog struct{ refusals sync.Map }

type refusal struct{ reason, detail string }

func (l *loadLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *loadLog) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *loadLog) WithGroup(string) slog.Handler            { return l }

func (l *loadLog) Handle(_ context.Context, r slog.Record) error {
	var reference string
	var out refusal
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "reference":
			reference = a.Value.String()
		case "reason":
			out.reason = a.Value.String()
		case "detail":
			out.detail = a.Value.String()
		}
		return true
	})
	if out.reason != "" {
		l.refusals.Store(reference, out)
	}
	return nil
}

var loadReference = regexp.MustCompile(`<code>(MRD-[^<]+)</code>`)

// take returns why a page refuses the user, and forgets it.
func (l *loadLog) take(p *testkit.Page) refusal {
	if m := loadReference.FindStringSubmatch(p.Body); m != nil {
		if r, ok := l.refusals.LoadAndDelete(m[1]); ok {
			return r.(refusal)
		}
	}
	return refusal{reason: fmt.Sprintf("no reference: status %d, %.200s", p.Status, p.Text())}
}
