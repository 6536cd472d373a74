package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// A mark is a record without a value: something was used.

// add leaves a mark and reports whether it was not there.
func (s *Server) add(ctx context.Context, key string, until time.Time) (bool, error) {
	err := s.cfg.Store.Add(ctx, key, nil, until)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, acs.ErrExists):
		return false, nil
	}
	return false, unavailable("write of a mark", err)
}

func (s *Server) mark(ctx context.Context, key string, until time.Time) error {
	_, err := s.add(ctx, key, until)
	return err
}

// marked takes a mark and reports whether it was there.
func (s *Server) marked(ctx context.Context, key string) (bool, error) {
	_, err := s.cfg.Store.Take(ctx, key)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, acs.ErrNotFound):
		return false, nil
	}
	return false, unavailable("read of a mark", err)
}

// again stores an answer that was taken again, and returns err.
func (s *Server) again(ctx context.Context, key string, a answer, until time.Time, err error) error {
	b, failed := json.Marshal(a)
	if failed == nil {
		failed = s.cfg.Store.Add(ctx, key, b, until)
	}
	if failed != nil && !errors.Is(failed, acs.ErrExists) {
		return unavailable("write of an answer", failed)
	}
	return err
}
