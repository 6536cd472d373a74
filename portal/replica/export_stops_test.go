package replica

import (
	"context"
	"log/slog"
)

// curious is a log handler that calls a function for each line.
type curious func()

func (curious) Enabled(context.Context, slog.Level) bool    { return true }
func (a curious) Handle(context.Context, slog.Record) error { a(); return nil }
func (a curious) WithAttrs([]slog.Attr) slog.Handler        { return a }
func (a curious) WithGroup(string) slog.Handler             { return a }

// StoppedWhileLogging stops a Node whose Logger asks why it doesn't serve, and returns the answers.
func StoppedWhileLogging() (answers []error) {
	n := &Node{stops: newStops()}
	n.cfg.Logger = slog.New(curious(func() { answers = append(answers, n.stopped()) }))
	n.stop("cause", newError(ReasonNotReady, "test", "", ""))
	n.stop("cause", nil)
	return answers
}
