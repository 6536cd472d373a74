package natsstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Reason says what is wrong. The set is closed. The errors of the contract of [acs.Store] are not an [Error].
type Reason string

const (
	// ReasonConfig: a field of Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonKey: not a valid key, by the contract of acs.Store.
	ReasonKey Reason = "Key"
	// ReasonStream: the stream exists, with settings that would break the contract of acs.Store.
	ReasonStream Reason = "Stream"
	// ReasonUnavailable: the server did not answer in time, or could not do it. It is unknown whether the call worked.
	ReasonUnavailable Reason = "Unavailable"
	// ReasonForgotten: the stream lost records. The call failed, and Since has moved.
	ReasonForgotten Reason = "Forgotten"
)

// Error is the error type of this package. Its fields are those of [acs.Error]; Rule names the field of
// Config, the setting of the stream, or the call.
type Error struct {
	Reason    Reason
	Rule      string
	Want, Got string
	Detail    string
	Err       error
}

// Error returns the message, cut short.
func (e *Error) Error() string {
	return storeerr.Message("natsstore", string(e.Reason), e.Rule, e.Detail, e.Want, e.Got, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func unavailable(call string, err error) error {
	return &Error{Reason: ReasonUnavailable, Rule: call, Err: err}
}

// How the server says that a stream may not take a message. Both cases have the same code, so the text
// decides. If it changed, ErrExists would become another error, which refuses the sign-in as well.
const (
	codeNotStored   = 10077
	textSubjectFull = "maximum messages per subject exceeded"
	textStreamFull  = "maximum messages exceeded"
)

// refusal returns why a message was not stored. acs.ErrExists: the subject has another message, or one is
// being stored.
func (s *Store) refusal(ctx context.Context, err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeNotStored {
		switch {
		case strings.Contains(api.Description, textSubjectFull):
			return acs.ErrExists
		case strings.Contains(api.Description, textStreamFull):
			return acs.ErrFull // only the stream of requests has a limit
		}
	}
	return s.lost(ctx, "add", err)
}

// lost returns an error that says nothing about the record.
func (s *Store) lost(ctx context.Context, call string, err error) error {
	return unavailable(call, errors.Join(err, s.restore(ctx, err)))
}

// restore makes the streams again if err says that they are gone. The call failed; the new stream has no
// marker, so the next Add of an assertion fails too, and moves Since. Many nodes may do this at once: a
// stream that another node has made is used.
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

// now returns the time by the leader's clock. Once a minute it is the first call to find the streams gone.
func (s *Store) now(ctx context.Context) (time.Time, error) {
	now, err := s.clock.now(ctx)
	if again := s.restore(ctx, err); again != nil {
		err = again
	}
	return now, err
}
