package portal_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// The Codes that the tests of handoffs use in place of the normal ones.

// elsewhere Codes know which Region a code came from.
type elsewhere struct {
	portal.Codes
	from string
}

func (e elsewhere) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	v, _, err := e.Codes.TakeCode(ctx, key)
	return v, e.from, err
}

// counting Codes count the calls of PutCode.
type counting struct {
	portal.Codes
	puts *atomic.Int32
}

func (c counting) PutCode(ctx context.Context, key string, v []byte, exp time.Time) error {
	c.puts.Add(1)
	return c.Codes.PutCode(ctx, key, v, exp)
}

// everlasting Codes don't expire, so that only the portal checks the lifetime.
type everlasting struct{ portal.Codes }

func (f everlasting) PutCode(ctx context.Context, key string, v []byte, _ time.Time) error {
	return f.Codes.PutCode(ctx, key, v, time.Now().Add(24*time.Hour))
}

// slow Codes block callers that ask for an unknown code.
type slow struct {
	portal.Codes
	waiting chan struct{}
	release chan struct{}
}

func (s *slow) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	v, from, err := s.Codes.TakeCode(ctx, key)
	if errors.Is(err, portal.ErrNoCode) {
		s.waiting <- struct{}{}
		<-s.release
	}
	return v, from, err
}

// failing Codes lead to a sign-in here, and to a log record.
type failing struct{ put, take bool }

func (f failing) PutCode(context.Context, string, []byte, time.Time) error {
	if f.put {
		return errDown
	}
	return nil
}

func (f failing) TakeCode(context.Context, string) ([]byte, string, error) {
	if f.take {
		return nil, "", errDown
	}
	return []byte("not JSON"), "", nil
}

func (f failing) DropCode(context.Context, string) error { return errDown }
