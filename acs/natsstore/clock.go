package natsstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// clock estimates the time of the stream's leader. The nodes' clocks may differ by minutes, and a record's
// lifetime must not depend on the node that added it.
//
// The estimate is never ahead, because the leader reads its clock before its answer arrives. So lifetimes can be
// too long by a round trip, but never too short.
type clock struct {
	read    func(context.Context) (time.Time, error)
	last    atomic.Pointer[reading]
	reading sync.Mutex // held while asking the leader
}

// reading is the leader's time, and the local time at which it arrived, with a monotonic reading.
type reading struct{ leader, here time.Time }

// maxReading bounds how long the time of a replaced leader is used.
const maxReading = time.Minute

func newClock(js jetstream.JetStream, stream string) *clock {
	return &clock{read: func(ctx context.Context) (time.Time, error) {
		// This is a separate handle: with the one that reads messages, this call could turn on direct reads, if an
		// operator allowed them.
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
	return last.leader.Add(time.Since(last.here)), nil // not nil: New reads the clock once
}
