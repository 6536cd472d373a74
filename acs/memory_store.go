package acs

import (
	"bytes"
	"container/heap"
	"context"
	"strings"
	"sync"
	"time"
)

// MemoryStore is a [Store] in memory, for a Region of one node. Its records are lost when the process ends. Each
// call removes some expired records. It starts no goroutine.
type MemoryStore struct {
	cfg MemoryConfig // with its defaults

	mu       sync.Mutex
	live     map[string]*memoryRecord // guarded by mu, as all below
	byExpiry expiryHeap               // the same records, soonest first
	requests int                      // how many of them are requests
	freed    time.Time                // the latest end of an assertion's record that was freed
	since    time.Time
}

// MemoryConfig describes a [MemoryStore]. The zero value is ready to use.
type MemoryConfig struct {
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// MaxRequests is the maximum number of pending requests. Any client can start one, and each takes up to about
	// 4 KiB. Zero or less: 100,000.
	MaxRequests int
	// MaxAssertions is the maximum number of records of used assertions, and of other records. Each takes about
	// 250 bytes until it expires. When the maximum is reached, sign-ins are refused, and no record is dropped.
	// Zero or less: 1,000,000.
	MaxAssertions int
	// Margin is added to the store's creation time to compute Since. Set it if the identity provider's clock may
	// be fast: an assertion dated after the creation could have been used in an earlier process. Unsolicited
	// sign-ins are refused for this long after each start. Zero or less: none.
	Margin time.Duration
}

const defaultMaxRequests = 100_000

// NewMemoryStore returns an empty store.
func NewMemoryStore(cfg MemoryConfig) *MemoryStore {
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	if cfg.MaxRequests <= 0 {
		cfg.MaxRequests = defaultMaxRequests
	}
	if cfg.MaxAssertions <= 0 {
		cfg.MaxAssertions = 1_000_000
	}
	// Lifetimes use the wall clock, because the monotonic clock stops while a machine is suspended.
	cfg.Now = func() time.Time { return now().Round(0) }
	cfg.Margin = max(cfg.Margin, 0)
	m := &MemoryStore{cfg: cfg, live: make(map[string]*memoryRecord)}
	m.since = m.remembersFrom(cfg.Now())
	return m
}

// remembersFrom returns the value of Since for records that are lost at an instant. It is in whole milliseconds,
// because assertions are: one that is issued right after the instant would otherwise be dated before it. No process
// ends, starts again and makes a store within a millisecond.
func (m *MemoryStore) remembersFrom(t time.Time) time.Time {
	return t.Add(m.cfg.Margin).Truncate(time.Millisecond)
}

// Since implements [Rememberer]. The store has no records from before its creation, nor those that it removed
// while its clock was ahead.
func (m *MemoryStore) Since() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// RequestQuota implements [Quota].
func (m *MemoryStore) RequestQuota() int { return m.cfg.MaxRequests }

// Add implements [Store].
func (m *MemoryStore) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &memoryRecord{
		key: key, value: bytes.Clone(v), exp: exp.Round(0), request: strings.HasPrefix(key, KeyPrefixRequest),
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.cfg.Now()
	m.freeExpired(now)
	_, exists := m.live[key]
	switch {
	case !now.Before(exp):
		return ErrExpired
	case exists:
		return ErrExists
	case r.request && m.requests >= m.cfg.MaxRequests, !r.request && len(m.live)-m.requests >= m.cfg.MaxAssertions:
		return ErrFull
	}
	m.live[key] = r
	heap.Push(&m.byExpiry, r)
	if r.request {
		m.requests++
	}
	return nil
}

// Take implements [Store].
func (m *MemoryStore) Take(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.freeExpired(m.cfg.Now())
	r, ok := m.live[key]
	if !ok {
		return nil, ErrNotFound
	}
	heap.Remove(&m.byExpiry, r.at)
	m.drop(r)
	return r.value, nil // no copy: the store no longer has it
}

// freeExpired removes the expired records. The caller holds mu.
func (m *MemoryStore) freeExpired(now time.Time) {
	m.detectClockStep(now)
	for len(m.byExpiry) > 0 && !now.Before(m.byExpiry[0].exp) {
		r := heap.Pop(&m.byExpiry).(*memoryRecord)
		m.drop(r)
		if strings.HasPrefix(r.key, KeyPrefixAssertion) && r.exp.After(m.freed) {
			m.freed = r.exp
		}
	}
}

// detectClockStep moves Since if the clock was ahead and was set back. Records that were removed meanwhile would be
// live now, and their assertions could be used again. Records outlive their assertions by more than replayMargin,
// so a small step does no harm. The caller holds mu.
func (m *MemoryStore) detectClockStep(now time.Time) {
	if m.freed.Sub(now) <= replayMargin {
		return
	}
	m.freed = time.Time{}
	if since := m.remembersFrom(now); since.After(m.since) {
		m.since = since
	}
}

// drop removes a record that is no longer in byExpiry. The caller holds mu.
func (m *MemoryStore) drop(r *memoryRecord) {
	delete(m.live, r.key)
	if r.request {
		m.requests--
	}
}

type memoryRecord struct {
	key     string
	value   []byte
	exp     time.Time
	request bool
	at      int // position in the heap
}

// expiryHeap implements heap.Interface.
type expiryHeap []*memoryRecord

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].exp.Before(h[j].exp) }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *expiryHeap) Push(x any) {
	r := x.(*memoryRecord)
	r.at = len(*h)
	*h = append(*h, r)
}

func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
