package natsstore

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// RecordsConfig returns the configuration of the stream of assertions.
func RecordsConfig(cfg Config) jetstream.StreamConfig { return cfg.records() }

// RoundUp makes a lifetime a time to live.
var RoundUp = roundUp

// MoveClock makes the store believe that the leader's clock is ahead.
func MoveClock(s *Store, d time.Duration) {
	last := *s.clock.last.Load()
	last.leader = last.leader.Add(d)
	s.clock.last.Store(&last)
}

// AgeClock makes the store's reading of the leader's clock too old.
func AgeClock(s *Store) {
	last := *s.clock.last.Load()
	old := -maxReading - time.Second
	s.clock.last.Store(&reading{leader: last.leader.Add(old), here: last.here.Add(old)})
}
