package natsstore

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// RecordsConfig is how the stream of assertions is made.
func RecordsConfig(cfg Config) jetstream.StreamConfig { return cfg.records() }

// RoundUp is how a lifetime becomes a time to live.
var RoundUp = roundUp

// MoveClock makes the store believe that the leader's clock is ahead.
func MoveClock(s *Store, d time.Duration) {
	last := *s.clock.last.Load()
	last.leader = last.leader.Add(d)
	s.clock.last.Store(&last)
}
