package acs_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

// Obligations: IIP-SSO01.
func TestInvariant7_D01_ReplayAtTheSameNode(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	a := w.good(usACS, "")
	w.accepted(w.browser().answer(us, a, ""))
	for range 3 {
		v := w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, acs.ReasonReplay)
		require.Equal(t, a.assertionID, v.AssertionID)
		require.Equal(t, "alice@example.com", v.NameID)
	}
	require.Equal(t, 1, w.loginCount())
}

func TestInvariant7_D02_ReplayAtAnotherNode(t *testing.T) {
	w := newWorld(t)
	one, two := w.region("us-east-1", accept), w.region("us-east-1", accept)
	a := w.good(usACS, "")
	w.accepted(w.browser().answer(one, a, ""))
	w.refused(w.browser().answer(two, a, ""), http.StatusForbidden, acs.ReasonReplay)
}

func TestInvariant7_D03_ConcurrentPresentations(t *testing.T) {
	w := newWorld(t)
	var nodes []http.Handler
	for range 3 {
		nodes = append(nodes, w.region("us-east-1", accept))
	}
	form := w.form(w.good(usACS, ""), "")
	concurrently(1000, func(i int) { w.browser().post(nodes[i%len(nodes)], usACS, form) })
	require.Equal(t, 1, w.loginCount())
	w.requireOneOf(1000, acs.ReasonReplay)
}

func TestInvariant7_D04_StoreThatCannotAnswer(t *testing.T) {
	w := newWorld(t)
	store := &brokenStore{Store: w.store}
	eu := w.region("eu-central-1", accept, func(c *acs.Config) { c.Store = store })
	unavailable := func(b *browser, a answer, relayState string) {
		t.Helper()
		rec := b.answer(eu, a, relayState)
		v := w.refused(rec, http.StatusServiceUnavailable, acs.ReasonStore)
		require.Contains(t, v.Detail, errBroken.Error())
		require.NotEmpty(t, rec.Header().Get("Retry-After"))
		require.NotContains(t, rec.Body.String(), errBroken.Error())
	}

	a := w.good(euACS, "")
	store.add.Store(true)
	unavailable(w.browser(), a, "")
	store.add.Store(false)
	w.accepted(w.browser().answer(eu, a, "")) // nothing was used up

	b := w.browser()
	req := b.login(eu, euACS, "")
	a = w.good(euACS, req.id)
	store.take.Store(true)
	unavailable(b, a, req.relayState)
	store.take.Store(false)
	require.NotEmpty(t, b.cookies, "the request is still pending")
	store.add.Store(true)
	unavailable(b, a, req.relayState)
	store.add.Store(false)
	w.refused(b.answer(eu, a, req.relayState), http.StatusForbidden, "InResponseTo")
	require.Equal(t, 1, w.loginCount())
}

func TestInvariant7_D04_StoreThatForgot(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	before := w.good(usACS, "")
	w.accepted(w.browser().answer(us, before, ""))
	w.clock.Advance(time.Second)

	w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now}) // started again, empty
	us = w.region("us-east-1", accept)
	v := w.refused(w.browser().answer(us, before, ""), http.StatusForbidden, acs.ReasonForgotten)
	require.Equal(t, "issued at or after 2026-06-01T12:00:01Z", v.Want)
	w.accepted(w.browser().answer(us, w.good(usACS, ""), ""))
}

// A clock that was an hour ahead for a moment makes the store forget.
func TestInvariant7_D04_ClockThatIsSetBack(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	step := func(d time.Duration) {
		w.clock.Advance(d)
		_, err := w.store.Take(t.Context(), "anything")
		require.ErrorIs(t, err, acs.ErrNotFound)
		w.clock.Advance(-d)
	}
	w.clock.Advance(time.Second)
	used := w.good(usACS, "")
	w.accepted(w.browser().answer(us, used, ""))
	w.clock.Advance(time.Second)
	step(time.Hour)
	w.refused(w.browser().answer(us, used, ""), http.StatusForbidden, acs.ReasonForgotten)
	fresh := w.good(usACS, "")
	w.accepted(w.browser().answer(us, fresh, ""))
	w.refused(w.browser().answer(us, fresh, ""), http.StatusForbidden, acs.ReasonReplay)

	// A small correction of the clock refuses no sign-in.
	w.clock.Advance(fresh.notOnOrAfter.Add(2*w.sp.Skew() + time.Minute).Sub(w.clock.Now()))
	on := w.good(usACS, "")
	step(time.Second)
	w.clock.Advance(-time.Second)
	w.accepted(w.browser().answer(us, on, ""))
}

// A store that is flushed while it works moves Since, which is read after the assertion was added.
func TestInvariant7_D04_StoreThatForgetsMeanwhile(t *testing.T) {
	w := newWorld(t)
	store := &flushedStore{Store: w.store}
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.Store = store })
	a := w.good(usACS, "")
	store.onAdd = func() { store.since = w.clock.Now().Add(time.Second) }
	w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, acs.ReasonForgotten)
}

type flushedStore struct {
	acs.Store
	since time.Time
	onAdd func()
}

func (s *flushedStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.onAdd()
	return s.Store.Add(ctx, key, v, exp)
}

func (s *flushedStore) Since() time.Time { return s.since }

func TestMemoryStoreMargin(t *testing.T) {
	w := newWorld(t)
	w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now, Margin: 3 * time.Minute})
	us := w.region("us-east-1", accept)
	w.refused(w.browser().answer(us, w.good(usACS, ""), ""), http.StatusForbidden, acs.ReasonForgotten)
	w.clock.Advance(3 * time.Minute)
	w.accepted(w.browser().answer(us, w.good(usACS, ""), ""))
}

// D07: at the last moment at which a node accepts an assertion, its record is still live, also by the clock of a
// store that is ahead.
func TestInvariant7_D07_ReplayAtTheBoundary(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Minute} {
		w := newWorld(t)
		w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: func() time.Time { return w.clock.Now().Add(ahead) }})
		us := w.region("us-east-1", accept)
		w.clock.Advance(ahead) // so that Since is past
		a := w.good(usACS, "")
		w.accepted(w.browser().answer(us, a, ""))
		last := a.notOnOrAfter.Add(w.sp.Skew() - time.Millisecond)
		for _, at := range []time.Time{a.notOnOrAfter, last} {
			w.clock.Advance(at.Sub(w.clock.Now()))
			w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, acs.ReasonReplay)
		}
		w.clock.Advance(time.Millisecond)
		w.refused(w.browser().answer(us, a, ""), http.StatusForbidden, "Expired")
	}
}

func TestReplayRecordsLifetime(t *testing.T) {
	w := newWorld(t)
	store := &keepingStore{Store: w.store}
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.Store = store })
	a := w.good(usACS, "")
	w.accepted(w.browser().answer(us, a, ""))
	require.Equal(t, []string{acs.AssertionKey(idpID, a.assertionID)}, store.keys)
	require.Equal(t, a.notOnOrAfter.Add(2*180*time.Second+time.Minute), store.ends[0])
}

// keepingStore remembers what was added, and can add it again.
type keepingStore struct {
	acs.Store
	mu     sync.Mutex
	keys   []string
	values [][]byte
	ends   []time.Time
}

func (s *keepingStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.values, s.ends = append(s.keys, key), append(s.values, v), append(s.ends, exp)
	return s.Store.Add(ctx, key, v, exp)
}

// giveBack adds the first record again, as if Take had failed.
func (s *keepingStore) giveBack(t *testing.T) {
	require.True(t, strings.HasPrefix(s.keys[0], acs.KeyPrefixRequest))
	require.NoError(t, s.Store.Add(t.Context(), s.keys[0], s.values[0], s.ends[0]))
}

func TestKeys(t *testing.T) {
	for _, key := range []string{acs.RequestKey("_id", "secret"), acs.AssertionKey(idpID, "_id")} {
		require.Regexp(t, `^(request|assertion)\.[0-9a-f]{64}$`, key)
		require.LessOrEqual(t, len(key), 100)
	}
	seen := make(map[string]bool)
	for _, parts := range [][]string{{"a", "bc"}, {"ab", "c"}, {"abc"}, {"abc", ""}, {"", "abc"}, {"a\x00b", "c"},
		{"a", "b\x00c"}} {
		key := acs.Hashed(parts...)
		require.False(t, seen[key], "%q", parts)
		seen[key] = true
	}
}

func TestStoreErrors(t *testing.T) {
	e := error(&acs.Error{Reason: acs.ReasonStore, Rule: "Config.Store", Detail: "take", Err: acs.ErrFull})
	require.ErrorIs(t, e, acs.ErrFull)
	var ours *acs.Error
	require.True(t, errors.As(e, &ours))
	require.Equal(t, "acs: Store: Config.Store: take: "+acs.ErrFull.Error(), e.Error())
}
