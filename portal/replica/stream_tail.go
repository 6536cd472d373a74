package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// errGap: a message went missing between the server and here.
var errGap = errors.New("replica: a message is missing")

// A tail reads a stream to its end and goes on. It never mends anything by
// itself: it ends at the first sign of trouble, and whoever runs it starts
// again from what is safely kept.
type tail struct {
	js     jetstream.JetStream
	stream string
	after  uint64 // the last sequence that is known already
	// each is given the messages in order.
	each func(jetstream.Msg, *jetstream.MsgMetadata)
}

func (t tail) run(ctx context.Context) error {
	cons, err := t.js.CreateConsumer(ctx, t.stream, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: t.after + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return fmt.Errorf("consumer of %s: %w", t.stream, err)
	}
	it, err := cons.Messages(jetstream.PullMaxMessages(500), jetstream.PullExpiry(10*time.Second),
		jetstream.PullHeartbeat(time.Second), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return fmt.Errorf("messages of %s: %w", t.stream, err)
	}
	defer it.Stop()
	for next := uint64(1); ; next++ {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("next message of %s: %w", t.stream, err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("message of %s: %w", t.stream, err)
		}
		if meta.Sequence.Consumer != next {
			return fmt.Errorf("%w: %s", errGap, t.stream)
		}
		t.each(msg, meta)
	}
}
