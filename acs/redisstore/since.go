package redisstore

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"
)

// Since implements [acs.Rememberer].
func (s *Store) Since() time.Time { return s.memory.Since() }

// learn reads the marker in Redis. The script makes a new one if it no longer holds.
func (s *Store) learn(ctx context.Context) error {
	v, err := s.run(ctx, scriptMark, []string{s.markKey()}, rand.Text(), s.cfg.policy())
	if err != nil {
		return unavailable("the marker", err)
	}
	if err := wrongPolicy(v); err != nil {
		return err
	}
	m, _ := v.(string)
	micros, _, _ := strings.Cut(m, " ")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return unavailable("the marker: not one of this package", err)
	}
	s.memory.Learn(m, time.UnixMicro(n).Add(s.cfg.Margin))
	return nil
}

// forgot is called when the marker no longer holds. It moves Since.
func (s *Store) forgot(ctx context.Context, before string) error {
	isKnown := func(m string) bool { return m == before }
	if err := s.memory.Forget(isKnown, func() error { return s.learn(ctx) }); err != nil {
		return err
	}
	return &Error{
		Reason: ReasonForgotten, Rule: s.markKey(), Detail: "Redis was flushed, restarted or replaced, or evicted keys",
	}
}
