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

// Reason is the reason of an [Error]. The set is closed. The errors in the contract of [acs.Store], such as
// acs.ErrExists, are not an Error.
type Reason string

const (
	// ReasonConfig: a field of Config is invalid.
	ReasonConfig Reason = "Config"
	// ReasonKey: the key is invalid by the contract of acs.Store.
	ReasonKey Reason = "Key"
	// ReasonStream: the stream exists with settings that violate the contract of acs.Store.
	ReasonStream Reason = "Stream"
	// ReasonUnavailable: the server did not answer in time, or returned an error. The call may have succeeded.
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

// The server's texts for a message that a stream refuses. Both cases have the same code, so the text distinguishes
// them. If a server changes the text, Add returns another error instead of ErrExists, which refuses the sign-in
// too.
const (
	codeNotStored   = 10077
	textSubjectFull = "maximum messages per subject exceeded"
	textStreamFull  = "maximum messages exceeded"
)

// refusal returns the error for a message that was not stored. acs.ErrExists: the subject has another message,
// stored or being replicated.
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

// lost returns an error that doesn't tell whether the record exists.
func (s *Store) lost(ctx context.Context, call string, err error) error {
	return unavailable(call, errors.Join(err, s.restore(ctx, err)))
}

// restore creates the streams again if err says that they are missing. The call has failed. The new stream has no
// marker, so the next Add of an assertion fails too, and moves Since. Several nodes may do this at the same time,
// and use a stream that another node has created.
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

// now returns the time by the leader's clock. It reads that once a minute, and may be the first call that finds
// the streams missing.
func (s *Store) now(ctx context.Context) (time.Time, error) {
	now, err := s.clock.now(ctx)
	if again := s.restore(ctx, err); again != nil {
		err = again
	}
	return now, err
}
