package natsstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs"
)

// What the server says when a stream may not take a message. Both come with
// the same code, so their words decide. Words that change would make an error
// of ErrExists, which lets nobody in either.
const (
	codeNotStored     = 10077
	saysSubjectIsFull = "maximum messages per subject exceeded"
	saysStreamIsFull  = "maximum messages exceeded"
)

// refusal says why a message was not stored. With acs.ErrExists there is another
// message for the subject, or one is on its way.
func (s *Store) refusal(ctx context.Context, err error) error {
	var said *jetstream.APIError
	if errors.As(err, &said) && said.ErrorCode == codeNotStored {
		switch {
		case strings.Contains(said.Description, saysSubjectIsFull):
			return acs.ErrExists
		case strings.Contains(said.Description, saysStreamIsFull):
			return acs.ErrFull // only the stream of requests has a limit
		}
	}
	return s.lost(ctx, "add", err)
}

// lost is an error that says nothing about the record.
func (s *Store) lost(ctx context.Context, call string, err error) error {
	return unavailable(call, errors.Join(err, s.restore(ctx, err)))
}

// restore makes the streams again if err is that they are gone: they were
// deleted, or the server came back without them. The call failed. The new
// stream has no marker, so the next Add of an assertion fails too, and moves
// Since. Many nodes may do this at once: a stream that another has made is used.
func (s *Store) restore(ctx context.Context, err error) error {
	gone := errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrStreamNotFound)
	if !gone || !s.memory.Learning.TryLock() {
		return nil
	}
	defer s.memory.Learning.Unlock()
	for _, want := range []jetstream.StreamConfig{s.cfg.requests(), s.cfg.records()} {
		if _, err := openStream(ctx, s.js, want); err != nil {
			return err
		}
	}
	return nil
}

// now is the time by the leader's clock. Once a minute that is the first call
// which finds the streams gone.
func (s *Store) now(ctx context.Context) (time.Time, error) {
	now, err := s.clock.now(ctx)
	if again := s.restore(ctx, err); again != nil {
		err = again
	}
	return now, err
}
