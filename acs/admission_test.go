package acs_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

// A slowStore takes time for each record: one after the other, or all at once if turn is nil.
type slowStore struct {
	acs.Store
	turn chan struct{}

	mu       sync.Mutex
	each     time.Duration
	now, max int // calls
}

func (s *slowStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	s.mu.Lock()
	each := s.each
	s.now++
	s.max = max(s.max, s.now)
	s.mu.Unlock()
	if s.turn != nil {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
	}
	time.Sleep(each)
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
	return s.Store.Add(ctx, key, v, exp)
}

// A load is responses that were signed beforehand and are posted in a bubble, whose clock only moves while all wait.
type load struct {
	*world
	handler http.Handler
	store   *slowStore
	forms   []url.Values

	mu     sync.Mutex
	took   []time.Duration // accepted ones
	waited []time.Duration // refused ones
	failed []url.Values    // refused ones
}

func newLoad(t *testing.T, inTurn bool, responses int) *load {
	w := newWorld(t)
	store := &slowStore{Store: w.store, each: 10 * time.Millisecond}
	if inTurn {
		store.turn = make(chan struct{}, 1)
	}
	w.store = store
	l := &load{world: w, handler: w.region("us-east-1", accept), store: store}
	for range responses {
		l.forms = append(l.forms, w.form(w.good(usACS, ""), ""))
	}
	return l
}

// post posts a form and notes how long the answer took.
func (l *load) post(addr string, form url.Values) int {
	r := httptest.NewRequest(http.MethodPost, usACS, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = addr
	rec, began := httptest.NewRecorder(), time.Now()
	l.handler.ServeHTTP(rec, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch rec.Code {
	case http.StatusSeeOther:
		l.took = append(l.took, time.Since(began))
	case http.StatusServiceUnavailable:
		assert.NotEmpty(l.t, rec.Header().Get("Retry-After"))
		l.waited, l.failed = append(l.waited, time.Since(began)), append(l.failed, form)
	}
	return rec.Code
}

// arrive posts all responses, at a rate, from different clients.
func (l *load) arrive(perSecond int) {
	var wg sync.WaitGroup
	for i, form := range l.forms {
		wg.Go(func() { l.post(fmt.Sprintf("192.0.2.%d:1", i%250), form) })
		time.Sleep(time.Second / time.Duration(perSecond))
	}
	wg.Wait()
}

func p99(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)*99/100]
}

// A store takes 100 records a second, and 400 sign-ins a second arrive. Those that are admitted take at most three
// times as long as one that is alone. The others are refused soon, and consume nothing.
func TestOverloadIsRefusedBeforeSignInsBecomeSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, true, 1200)
		l.arrive(400)
		require.Greater(t, len(l.took), 250, "the store is used")
		require.Greater(t, len(l.failed), 500)
		assert.LessOrEqual(t, p99(l.took), 3*l.store.each)
		assert.LessOrEqual(t, slices.Max(l.waited), 1100*time.Millisecond)
		assert.Less(t, l.store.max, 10)
		assert.Contains(t, l.logs.String(), `"reason":"Busy"`)

		time.Sleep(time.Minute)
		assert.Equal(t, http.StatusSeeOther, l.post("192.0.2.1:1", l.failed[0]), "it was not consumed")
	})
}

// A store that takes many records at the same time is used, although each takes as long.
func TestSlowIsNotOverloaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, false, 1500)
		l.arrive(1000)
		assert.Greater(t, len(l.took), 1400)
		assert.GreaterOrEqual(t, l.store.max, 10)
		assert.LessOrEqual(t, p99(l.took[len(l.took)/2:]), 12*l.store.each)
	})
}

// A burst at a fast store is no overload.
func TestABurstWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, true, 400)
		l.store.each = time.Millisecond
		l.arrive(100_000)
		assert.Len(t, l.took, 400)
	})
}

// A few users who sign in at the same time all get in, also at a slow store whose speed is known.
func TestAFewAtOnceWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, true, 70)
		all := l.forms
		l.forms = all[:10]
		l.arrive(20)
		for round := range 3 {
			time.Sleep(10 * time.Second)
			l.forms = all[10+20*round:][:20]
			l.arrive(100_000)
		}
		assert.Len(t, l.took, 70)
	})
}

// If the store becomes slower or faster, that is learned.
func TestTheSpeedOfTheStoreIsLearned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, true, 600)
		all := l.forms
		l.forms = all[:200]
		l.store.each = time.Millisecond
		l.arrive(100)
		assert.Len(t, l.took, 200, "all")
		l.store.mu.Lock()
		l.store.each = 20 * time.Millisecond
		l.store.mu.Unlock()
		l.forms = all[200:]
		l.took = nil
		l.arrive(100)
		require.Greater(t, len(l.took), 100)
		assert.LessOrEqual(t, p99(l.took[len(l.took)/4:]), 60*time.Millisecond)
	})
}

// Clients that send as many responses as they can, genuine or not, don't shut out others.
func TestAClientCantUseUpTheSignIns(t *testing.T) {
	t.Parallel()
	for name, genuine := range map[string]bool{"genuine": true, "junk": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoad(t, true, 900)
				others, ended := l.forms[:40], make(chan struct{})
				var wg sync.WaitGroup
				wg.Go(func() {
					defer close(ended)
					for i, form := range l.forms[40:] {
						if !genuine {
							form = url.Values{"SAMLResponse": {base64Of("<junk/>")}}
						}
						wg.Go(func() { l.post(fmt.Sprintf("198.51.100.7:%d", i+1), form) })
						time.Sleep(5 * time.Millisecond / 2)
					}
				})
				time.Sleep(500 * time.Millisecond)
				in := 0
				for i, form := range others {
					if l.post(fmt.Sprintf("192.0.2.%d:1", i), form) == http.StatusSeeOther {
						in++
					}
					time.Sleep(30 * time.Millisecond)
				}
				<-ended
				wg.Wait()
				assert.GreaterOrEqual(t, in, 36)
			})
		})
	}
}

// OnLogin counts, because it creates the session: no more of them run than are admitted. A panic frees its place.
func TestOnLoginCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		running, most, first := 0, 0, true
		var mu sync.Mutex
		h := w.region("us-east-1", accept, func(c *acs.Config) {
			c.MaxAtOnce = 2
			c.OnLogin = func(rw http.ResponseWriter, _ *http.Request, _ *acs.Login) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				if running--; first {
					first = false
					panic(http.ErrAbortHandler)
				}
				rw.WriteHeader(http.StatusSeeOther)
			}
		})
		l := &load{world: w, handler: h}
		var wg sync.WaitGroup
		for i := range 8 {
			form := w.form(w.good(usACS, ""), "")
			wg.Go(func() {
				defer func() { _ = recover() }()
				l.post(fmt.Sprintf("192.0.2.%d:1", i), form)
			})
		}
		wg.Wait()
		assert.Len(t, l.took, 7)
		assert.LessOrEqual(t, most, 2)
	})
}

// Overloaded tells operators.
func TestOverloaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store := &slowStore{Store: w.store, each: 20 * time.Second}
		w.store = store
		region, err := acs.NewRegion(func() acs.Config {
			c := w.regionConfig("us-east-1")
			c.Unsolicited, c.MaxAtOnce = acs.Accept, 1
			return c
		}())
		require.NoError(t, err)
		mux := http.NewServeMux()
		region.Mount(mux, acs.Paths{})
		l := &load{world: w, handler: mux}
		var wg sync.WaitGroup
		assert.False(t, region.Overloaded())
		for i := range 2 {
			form := w.form(w.good(usACS, ""), "")
			wg.Go(func() { l.post(fmt.Sprintf("192.0.2.%d:1", i), form) })
		}
		time.Sleep(6 * time.Second)
		assert.True(t, region.Overloaded())
		wg.Wait()
		assert.False(t, region.Overloaded())
	})
}

func TestMaxAtOnceIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.regionConfig("us-east-1")
	c.MaxAtOnce = -1
	_, err := acs.NewRegion(c)
	requireACSReason(t, acs.ReasonConfig, err)
	c.MaxAtOnce = 1
	_, err = acs.NewRegion(c)
	require.NoError(t, err)
}
