package redisstore

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"
)

// known is the marker that the store knows, as it is in Redis.
type known string

// Same reports whether it is the same marker.
func (k known) Same(o known) bool { return k == o }

// Since implements [acs.Rememberer].
func (s *Store) Since() time.Time { return s.memory.Since() }

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
	s.memory.Learn(known(m), time.UnixMicro(n).Add(s.cfg.Margin))
	return nil
}

// forgot is for a caller that knew a marker which does not hold any more. It
// moves Since.
func (s *Store) forgot(ctx context.Context, before known) error {
	if err := s.memory.Forget(before, func() error { return s.learn(ctx) }); err != nil {
		return err
	}
	return &Error{Reason: ReasonForgotten, Rule: "marker " + s.markKey(), Detail: "Redis was flushed, started again or replaced, or has evicted keys"}
}
