package redisstore

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"
)

// memory is what the store knows of the marker. The store's mutex guards it.
type memory struct {
	mark  string    // as it is in Redis
	since time.Time // never moves back
}

// Since implements [acs.Rememberer].
func (s *Store) Since() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.since
}

func (s *Store) knownMark() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.mark
}

// learn takes over the marker that is in Redis, and makes one if there is none
// or if Redis is not the process any more that wrote it, or has evicted keys.
func (s *Store) learn(ctx context.Context) error {
	v, err := s.run(ctx, mark, []string{s.markKey()}, rand.Text())
	if err != nil {
		return unavailable("the marker", err)
	}
	m, _ := v.(string)
	micros, _, _ := strings.Cut(m, " ")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return unavailable("the marker, which this package did not write", err)
	}
	since := time.UnixMicro(n).Add(s.cfg.Margin)
	s.mu.Lock()
	defer s.mu.Unlock()
	if since.Before(s.memory.since) {
		since = s.memory.since
	}
	s.memory = memory{mark: m, since: since}
	return nil
}

// forgot is for a caller that knew a marker which does not hold any more. It
// moves Since, once for all calls that notice the same.
func (s *Store) forgot(ctx context.Context, known string) error {
	s.learning.Lock()
	defer s.learning.Unlock()
	if s.knownMark() == known {
		if err := s.learn(ctx); err != nil {
			return err
		}
	}
	return &Error{Reason: ReasonForgotten, Rule: "marker " + s.markKey(), Detail: "Redis was flushed, started again or replaced, or has evicted keys"}
}
