package portal_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// Codes with faults, for the tests of handoffs.

// elsewhere is Codes that report a fixed Region as the one that put a code.
type elsewhere struct {
	portal.Codes
	from string
}

func (e elsewhere) TakeCode(ctx context.Context, key string) ([]byte, string, error) {
	v, _, err := e.Codes.TakeCode(ctx, key)
	return v, e.from, err
}

// counting is Codes that count the calls of PutCode.
type counting struct {
	portal.Codes
	puts *atomic.Int32
}

func (c counting) PutCode(ctx context.Context, key string, v []byte, exp time.Time) error {
	c.puts.Add(1)
	return c.Codes.PutCode(ctx, key, v, exp)
}

// everlasting is Codes that never expire, so that only the portal checks the lifetime.
type everlasting struct{ portal.Codes }

func (f everlasting) PutCode(ctx context.Context, key string, v []byte, _ time.Time) error {
	return f.Codes.PutCode(ctx, key, v, time.Now().Add(24*time.Hour))
}

// slow is Codes that block callers that take an unknown code.
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

// failing selects which methods of Codes fail. The portal then starts a sign-in and writes a log record.
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
