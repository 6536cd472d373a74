package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Store is an [acs.Store], an [acs.Rememberer] and an [acs.Quota]. It is safe for concurrent use and need not be
// closed.
type Store struct {
	cfg    Config
	memory storeerr.Memory[string] // the marker, as stored in Redis
}

var (
	_ acs.Store      = (*Store)(nil)
	_ acs.Rememberer = (*Store)(nil)
	_ acs.Quota      = (*Store)(nil)
)

// New reads the policy and the marker of Redis. The error is an [*Error].
func New(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	s := &Store{cfg: cfg}
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// RequestQuota implements [acs.Quota].
func (s *Store) RequestQuota() int { return s.cfg.MaxRequests }

// Add implements [acs.Store].
func (s *Store) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	v, err := s.cfg.sealing().Seal(ctx, key, v)
	if err != nil {
		return unavailable("add: sealing", err)
	}
	before := s.memory.Mark()
	sc, keys := scriptAdd, []string{s.recordKey(key)}
	args := []any{string(v), milliseconds(exp), s.cfg.policy()} // copies v, because an abandoned call may still send it
	switch {
	case strings.HasPrefix(key, acs.KeyPrefixRequest):
		sc, keys, args = scriptAddRequest, append(keys, s.waitingKey()), append(args, s.cfg.MaxRequests, key)
	case strings.HasPrefix(key, acs.KeyPrefixAssertion):
		keys, args = append(keys, s.markKey()), append(args, before)
	}
	said, err := s.run(ctx, sc, keys, args...)
	if err != nil {
		return unavailable("add", err)
	}
	switch said {
	case "STORED":
		return nil
	case "EXISTS":
		return acs.ErrExists
	case "EXPIRED":
		return acs.ErrExpired
	case "FULL":
		return acs.ErrFull
	case "FORGOT":
		return s.forgot(ctx, before)
	}
	if err := wrongPolicy(said); err != nil {
		return err
	}
	return unavailable("add", fmt.Errorf("the script returned a %T", said))
}

// Take implements [acs.Store].
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	var said any
	var err error
	if strings.HasPrefix(key, acs.KeyPrefixRequest) {
		said, err = s.run(ctx, scriptTakeRequest, []string{s.recordKey(key), s.waitingKey()}, key)
	} else {
		said, err = s.do(ctx, "getdel", s.recordKey(key))
	}
	if errors.Is(err, redis.Nil) {
		return nil, acs.ErrNotFound
	}
	if err != nil {
		return nil, unavailable("take", err)
	}
	stored, ok := said.(string)
	if !ok {
		return nil, unavailable("take", fmt.Errorf("the server returned a %T", said))
	}
	v, err := s.cfg.sealing().Open(ctx, key, []byte(stored))
	if err != nil {
		return nil, unavailable("take: opening", err)
	}
	return v, nil
}

// The braces put all keys into one hash slot of a cluster, so that a script can use several of them.
func (s *Store) recordKey(key string) string { return "meridian:{" + s.cfg.Prefix + "}:" + key }
func (s *Store) markKey() string             { return "meridian:{" + s.cfg.Prefix + "}#since" }
func (s *Store) waitingKey() string          { return "meridian:{" + s.cfg.Prefix + "}#requests" }

func check(ctx context.Context, key string) error {
	if !storeerr.Key.MatchString(key) {
		return &Error{Reason: ReasonKey, Rule: "acs.Store", Want: storeerr.WantKey, Got: key}
	}
	if err := ctx.Err(); err != nil {
		return unavailable("context", err)
	}
	return nil
}

// milliseconds rounds up. The zero time is a time in the past.
func milliseconds(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// Since implements [acs.Rememberer].
func (s *Store) Since() time.Time { return s.memory.Since() }

// learn reads the marker in Redis. The script replaces a marker that is no longer valid.
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

// forgot moves Since. It is called when the marker is no longer valid.
func (s *Store) forgot(ctx context.Context, before string) error {
	isKnown := func(m string) bool { return m == before }
	if err := s.memory.Forget(isKnown, func() error { return s.learn(ctx) }); err != nil {
		return err
	}
	return &Error{
		Reason: ReasonForgotten, Rule: s.markKey(), Detail: "Redis was flushed, restarted or replaced, or has evicted keys",
	}
}
