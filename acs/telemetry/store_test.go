package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/storetest"
)

func verdictOf(reason string) acs.Verdict { return acs.Verdict{Reason: reason} }

// The wrapper keeps the contract, and every optional method that there is, and no other.
func TestStoreKeepsTheContract(t *testing.T) {
	m := newMeters(t, nil)
	storetest.Run(t, func(t *testing.T) acs.Store {
		return m.Store(acs.NewMemoryStore(acs.MemoryConfig{MaxRequests: 20}))
	}, storetest.Options{MaxRequests: 20})
}

func TestStoreKeepsOptionalMethods(t *testing.T) {
	m, memory := newMeters(t, nil), acs.NewMemoryStore(acs.MemoryConfig{MaxRequests: 7})
	for _, inner := range []acs.Store{
		memory,
		struct{ acs.Store }{memory},
		struct {
			acs.Store
			acs.Quota
		}{memory, memory},
		struct {
			acs.Store
			acs.Rememberer
		}{memory, memory},
	} {
		wrapped := m.Store(inner)
		require.NotEqual(t, inner, wrapped)
		_, want := inner.(acs.Quota)
		q, got := wrapped.(acs.Quota)
		require.Equal(t, want, got, "%T", inner)
		if got {
			require.Equal(t, 7, q.RequestQuota())
		}
		_, want = inner.(acs.Rememberer)
		r, got := wrapped.(acs.Rememberer)
		require.Equal(t, want, got, "%T", inner)
		if got {
			require.Equal(t, memory.Since(), r.Since())
		}
	}
}

// Each error of a store has one name, wrapped or not, and the caller gets the error.
func TestStoreErrors(t *testing.T) {
	for want, err := range map[string]error{
		"Exists": acs.ErrExists, "NotFound": acs.ErrNotFound, "Expired": acs.ErrExpired, "Full": acs.ErrFull,
		"Cancelled": context.Canceled, "Timeout": context.DeadlineExceeded, "Unavailable": errors.New("alice@example.com"),
	} {
		m := newMeters(t, nil)
		s := m.Store(&slowStore{clock: m.clock, took: time.Second, err: fmt.Errorf("redis: %w", err)})
		_, got := s.Take(t.Context(), "x")
		require.ErrorIs(t, got, err)
		require.ErrorIs(t, s.Add(t.Context(), "x", nil, time.Time{}), err)
		series := "{cloud.region=eu,error.type=" + want + ",store.operation="
		require.Equal(t, map[string]float64{
			series + "add}": 1, series + "add} sum": 1, series + "take}": 1, series + "take} sum": 1,
		}, m.named("meridian.store.operation.duration"))
	}
}
