package acs

import (
	"bytes"
	"container/heap"
	"context"
	"strings"
	"sync"
	"time"
)

// MemoryStore is a [Store] for a Region of one node: it keeps everything in memory, and loses it when the
// process ends. Expired records are freed as others come and go; it starts no goroutine.
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
	// MaxRequests is how many requests may wait for an answer at once. Any client can start one, and each
	// takes up to about 4 KiB. Zero or less: 100,000.
	MaxRequests int
	// MaxAssertions is how many used assertions, and other records, are kept at once. Each takes about 250 bytes until it
	// expires. When there are so many, sign-ins are refused: none is forgotten for another. Zero or less: 1,000,000.
	MaxAssertions int
	// Margin is added to the time of creation to give Since, for an identity provider whose clock may be
	// fast: an assertion that it dated after this store's creation could have been used in a process that
	// ran before. Unsolicited sign-ins are refused for that long after each start. Zero or less: none.
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
	// Lifetimes go by the wall clock: the monotonic one stands still while a machine is suspended.
	cfg.Now = func() time.Time { return now().Round(0) }
	cfg.Margin = max(cfg.Margin, 0)
	return &MemoryStore{cfg: cfg, since: cfg.Now().Add(cfg.Margin), live: make(map[string]*memoryRecord)}
}

// Since implements [Rememberer]: the store knows nothing from before it was made, nor what it freed while
// its clock was wrong.
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
	return r.value, nil // the caller's alone now
}

// freeExpired removes the expired records. The caller holds mu.
func (m *MemoryStore) freeExpired(now time.Time) {
	m.noticeStep(now)
	for len(m.byExpiry) > 0 && !now.Before(m.byExpiry[0].exp) {
		r := heap.Pop(&m.byExpiry).(*memoryRecord)
		m.drop(r)
		if strings.HasPrefix(r.key, KeyPrefixAssertion) && r.exp.After(m.freed) {
			m.freed = r.exp
		}
	}
}

// noticeStep moves Since if the clock was ahead and was set back: records that were freed meanwhile would be
// live now, so their assertions could be used again. Records outlive their assertions by more than
// replayMargin, so a small step does no harm. The caller holds mu.
func (m *MemoryStore) noticeStep(now time.Time) {
	if m.freed.Sub(now) <= replayMargin {
		return
	}
	m.freed = time.Time{}
	if since := now.Add(m.cfg.Margin); since.After(m.since) {
		m.since = since
	}
}

// drop removes a record that has left byExpiry. The caller holds mu.
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
