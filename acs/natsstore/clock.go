package natsstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// clock is the one of the stream's leader. The nodes' own may differ by
// minutes, and a record's lifetime must not depend on which node made it.
//
// The estimate is never ahead: the leader told the time before its answer got
// here. So lifetimes come out too long, by a round trip, and never too short.
type clock struct {
	read    func(context.Context) (time.Time, error)
	last    atomic.Pointer[reading]
	reading sync.Mutex // held by whoever asks
}

// reading is what the leader said, and when it got here (a monotonic reading:
// nobody can set it).
type reading struct{ leader, here time.Time }

// maxReading bounds how long a leader that has been replaced is still believed.
const maxReading = time.Minute

func newClock(js jetstream.JetStream, stream string) *clock {
	return &clock{read: func(ctx context.Context) (time.Time, error) {
		// A handle of its own: asking through the one that reads messages could
		// make it believe in direct reads, should somebody switch them on.
		handle, err := js.Stream(ctx, stream)
		if err != nil {
			return time.Time{}, err
		}
		return handle.CachedInfo().TimeStamp, nil
	}}
}

func (c *clock) now(ctx context.Context) (time.Time, error) {
	last := c.last.Load()
	if (last == nil || time.Since(last.here) > maxReading) && c.reading.TryLock() {
		defer c.reading.Unlock()
		leader, err := c.read(ctx)
		if err != nil {
			return time.Time{}, unavailable("the leader's clock", err)
		}
		if leader.IsZero() {
			return time.Time{}, &Error{Reason: ReasonStream, Rule: "the leader's clock", Detail: "the server does not tell the time: is it older than 2.11?"}
		}
		last = &reading{leader: leader, here: time.Now()}
		c.last.Store(last)
	}
	return last.leader.Add(time.Since(last.here)), nil // New has asked once, so there is one
}
