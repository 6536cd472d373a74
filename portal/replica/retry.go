package replica

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// askTimeout bounds one attempt at a question. A cluster that has just lost a
// leader loses questions too, and nobody answers those later.
const askTimeout = 2 * time.Second

// asking asks the Region's own server until it has an answer or ctx ends. What
// is asked must do no harm when it is done twice.
func asking[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	for {
		attempt, cancel := context.WithTimeout(ctx, askTimeout)
		v, err := question(attempt)
		cancel()
		if err == nil || ctx.Err() != nil || !noLeader(err) {
			return v, err
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// clusterNotAvail is what a cluster's servers answer that have no leader yet.
const clusterNotAvail jetstream.ErrorCode = 10008

// noLeader says whether that may be why there was no answer.
func noLeader(err error) bool {
	var refused *jetstream.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errBehind) || errors.As(err, &refused) && refused.ErrorCode == clusterNotAvail
}

// stream looks at a stream of the Region's own server.
func (n *Node) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	return asking(ctx, func(ctx context.Context) (jetstream.Stream, error) { return n.js.Stream(ctx, name) })
}

// latest returns the last message of a subject, or nil where there is none. The
// stream's leader answers.
func latest(ctx context.Context, s jetstream.Stream, subject string) (*jetstream.RawStreamMsg, error) {
	return maybe(asking(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.GetLastMsgForSubject(ctx, subject)
	}))
}

// next returns the first sequence in a stream after a given one, or 0 where
// nothing follows. The stream's leader says so, which lacks no acknowledged
// message. A consumer in a cluster may sit on any server that keeps the stream,
// and what it calls the end is the end of what that server has by now.
func next(ctx context.Context, s jetstream.Stream, prefix string, after uint64) (uint64, error) {
	msg, err := nextMessage(ctx, s, prefix, after)
	if msg == nil {
		return 0, err
	}
	return msg.Sequence, nil
}

// nextMessage returns the first message in a stream after a sequence, or nil.
func nextMessage(ctx context.Context, s jetstream.Stream, prefix string, after uint64) (*jetstream.RawStreamMsg, error) {
	return maybe(asking(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(prefix+">"))
	}))
}

// maybe makes nil of a message that isn't there.
func maybe(m *jetstream.RawStreamMsg, err error) (*jetstream.RawStreamMsg, error) {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	return m, err
}
