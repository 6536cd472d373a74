package natsstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// clock is the clock of the stream's leader. The nodes' clocks may differ by minutes, and a record's
// lifetime must not depend on the node that made it.
//
// The estimate is never ahead: the leader read its clock before its answer arrived. So lifetimes are too
// long by up to a round trip, and never too short.
type clock struct {
	read    func(context.Context) (time.Time, error)
	last    atomic.Pointer[reading]
	reading sync.Mutex // held while asking the leader
}

// reading is the leader's time, and when it arrived (with a monotonic reading, which can't be set).
type reading struct{ leader, here time.Time }

// maxReading bounds how long a leader that has been replaced is still believed.
const maxReading = time.Minute

func newClock(js jetstream.JetStream, stream string) *clock {
	return &clock{read: func(ctx context.Context) (time.Time, error) {
		// Not the handle that reads messages: asking through it could make it use direct reads, should an
		// operator turn them on.
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
			return time.Time{}, &Error{
				Reason: ReasonStream, Rule: "the leader's clock", Detail: "the server sends no time, want nats-server 2.11",
			}
		}
		last = &reading{leader: leader, here: time.Now()}
		c.last.Store(last)
	}
	return last.leader.Add(time.Since(last.here)), nil // not nil: New has asked once
}
