package acs_test

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/storetest"
)

func TestMemoryStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) acs.Store {
		return acs.NewMemoryStore(acs.MemoryConfig{MaxRequests: 500})
	}, storetest.Options{RoundsUp: time.Second, MaxRequests: 500})
}

func TestMemoryStoreWithAClock(t *testing.T) {
	c := newClock()
	storetest.Run(t, func(*testing.T) acs.Store {
		return acs.NewMemoryStore(acs.MemoryConfig{Now: c.Now})
	}, storetest.Options{Now: c.Now, Advance: c.Advance})
}

func TestMemoryStoreRoomComesBackByExpiry(t *testing.T) {
	c := newClock()
	m := acs.NewMemoryStore(acs.MemoryConfig{Now: c.Now, MaxRequests: 2})
	add := func(i int, life time.Duration) error {
		return m.Add(t.Context(), acs.KeyPrefixRequest+fmt.Sprint(i), nil, c.Now().Add(life))
	}
	require.NoError(t, add(1, time.Minute))
	require.NoError(t, add(2, time.Hour))
	require.ErrorIs(t, add(3, time.Hour), acs.ErrFull)
	c.Advance(time.Minute)
	require.NoError(t, add(3, time.Hour))
	require.ErrorIs(t, add(4, time.Hour), acs.ErrFull)
}

func TestMemoryStoreFreesExpiredRecords(t *testing.T) {
	c := newClock()
	m := acs.NewMemoryStore(acs.MemoryConfig{Now: c.Now})
	for i := range 1000 {
		require.NoError(
			t,
			m.Add(t.Context(), acs.KeyPrefixAssertion+fmt.Sprint(i), nil, c.Now().Add(time.Duration(1000-i)*time.Second)),
		)
	}
	require.Equal(t, 1000, acs.Len(m))
	c.Advance(500 * time.Second)
	_, err := m.Take(t.Context(), "anything")
	require.ErrorIs(t, err, acs.ErrNotFound)
	require.Equal(t, 500, acs.Len(m))
	c.Advance(time.Hour)
	require.NoError(t, m.Add(t.Context(), "a", nil, c.Now().Add(time.Hour)))
	require.Equal(t, 1, acs.Len(m))
}

// The wall clock goes on while a machine is suspended, and the monotonic one doesn't. Package time can't make such an
// instant, so this test writes one (seconds are above 30 bits of nanoseconds) and checks it.
func TestMemoryStoreGoesByTheWallClock(t *testing.T) {
	now := time.Now()
	m := acs.NewMemoryStore(acs.MemoryConfig{Now: func() time.Time { return now }})
	require.NotContains(t, m.Since().String(), " m=")
	key := acs.KeyPrefixRequest + "a"
	require.NoError(t, m.Add(t.Context(), key, nil, now.Add(15*time.Minute)))
	before := now
	(*struct{ wall uint64 })(unsafe.Pointer(&now)).wall += 3600 << 30
	require.Zero(t, now.Sub(before), "monotonic")
	require.Equal(t, time.Hour, now.Round(0).Sub(before.Round(0)), "wall")
	_, err := m.Take(t.Context(), key)
	require.ErrorIs(t, err, acs.ErrNotFound)
}

func TestMemoryStoreSince(t *testing.T) {
	c := newClock()
	m := acs.NewMemoryStore(acs.MemoryConfig{Now: c.Now})
	made := c.Now()
	c.Advance(time.Hour)
	require.Equal(t, made, m.Since())

	// Identity providers date assertions in milliseconds.
	c.Advance(1500 * time.Microsecond)
	issued := c.Now().Truncate(time.Millisecond)
	m = acs.NewMemoryStore(acs.MemoryConfig{Now: c.Now})
	require.False(t, issued.Before(m.Since()))
	require.True(t, issued.Add(-time.Millisecond).Before(m.Since()))
}

func BenchmarkMemoryStore(b *testing.B) {
	m := acs.NewMemoryStore(acs.MemoryConfig{})
	exp := time.Now().Add(10 * time.Minute)
	keys := make([]string, 1<<16)
	for i := range keys {
		keys[i] = acs.AssertionKey(idpID, fmt.Sprint(i))
	}
	for i := 0; b.Loop(); i++ {
		key := keys[i%len(keys)]
		if err := m.Add(b.Context(), key, nil, exp); err != nil {
			b.Fatal(err)
		}
		if _, err := m.Take(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}
