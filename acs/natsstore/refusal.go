package natsstore

import (
	"context"
	"errors"
	"strings"

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

// lost is an error that says nothing about the record. If it is that the
// streams are gone, because the server came back without them, they are made
// again: that call failed, the next one finds a new marker.
func (s *Store) lost(ctx context.Context, call string, err error) error {
	gone := errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrStreamNotFound)
	if gone && s.learning.TryLock() {
		defer s.learning.Unlock()
		for _, want := range []jetstream.StreamConfig{s.cfg.requests(), s.cfg.records()} {
			if _, again := openStream(ctx, s.js, want); again != nil {
				return unavailable(call, errors.Join(err, again))
			}
		}
	}
	return unavailable(call, err)
}
