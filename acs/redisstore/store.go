package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

// Store is an [acs.Store] and an [acs.Rememberer]. It is safe for concurrent
// use and needs no closing.
type Store struct {
	cfg    Config
	memory storeerr.Memory[known]
}

var (
	_ acs.Store      = (*Store)(nil)
	_ acs.Rememberer = (*Store)(nil)
	_ acs.Quota      = (*Store)(nil)
)

// New asks Redis how it is set up and since when it remembers. The error is an
// [*Error].
func New(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	s := &Store{cfg: cfg}
	// The marker first: this is what finds out whether Redis is there at all,
	// and it keeps to the time.
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	if !cfg.InsecureSkipPolicyCheck {
		if err := checkPolicyAtStart(ctx, cfg.Client); err != nil {
			return nil, err
		}
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
	before := s.memory.Mark()
	end, value, policy := milliseconds(exp), string(v), s.cfg.policy() // a copy of v: an abandoned call may still send it
	var said any
	var err error
	switch {
	case strings.HasPrefix(key, acs.KeyPrefixRequest):
		said, err = s.run(ctx, addRequest, []string{s.recordKey(key), s.waitingKey()}, value, end, policy, s.cfg.MaxRequests, key)
	case strings.HasPrefix(key, acs.KeyPrefixAssertion):
		said, err = s.run(ctx, addAssertion, []string{s.recordKey(key), s.markKey()}, value, end, policy, string(before))
	default:
		said, err = s.run(ctx, addOther, []string{s.recordKey(key)}, value, end, policy)
	}
	if err != nil {
		return unavailable("add", err)
	}
	switch said {
	case saysStored:
		return nil
	case saysExists:
		return acs.ErrExists
	case saysExpired:
		return acs.ErrExpired
	case saysFull:
		return acs.ErrFull
	case saysForgot:
		return s.forgot(ctx, before)
	}
	if got, ok := said.(string); ok && strings.HasPrefix(got, saysPolicy) {
		return wrongPolicy(strings.TrimPrefix(got, saysPolicy))
	}
	return unavailable("add", fmt.Errorf("the script answered %T", said))
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
		said, err = s.run(ctx, takeRequest, []string{s.recordKey(key), s.waitingKey()}, key)
	} else {
		said, err = s.do(ctx, "getdel", s.recordKey(key))
	}
	if errors.Is(err, redis.Nil) {
		return nil, acs.ErrNotFound
	}
	if err != nil {
		return nil, unavailable("take", err)
	}
	v, ok := said.(string)
	if !ok {
		return nil, unavailable("take", fmt.Errorf("the answer was %T", said))
	}
	return []byte(v), nil
}

// The braces make it one hash slot of a cluster, so that a script can have
// more than one of these keys.
func (s *Store) recordKey(key string) string { return "meridian:{" + s.cfg.Prefix + "}:" + key }
func (s *Store) markKey() string             { return "meridian:{" + s.cfg.Prefix + "}#since" }
func (s *Store) waitingKey() string          { return "meridian:{" + s.cfg.Prefix + "}#requests" }

func check(ctx context.Context, key string) error {
	if !storeerr.IsKey(key) {
		return &Error{Reason: ReasonKey, Rule: "acs.Store", Want: storeerr.WantKey, Got: key}
	}
	if err := ctx.Err(); err != nil {
		return unavailable("context", err)
	}
	return nil
}

// milliseconds rounds up. The zero time is long ago, as any other.
func milliseconds(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}
