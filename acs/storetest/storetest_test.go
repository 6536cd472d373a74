package storetest_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/storetest"
)

// simple is a small store that keeps the contract; each field breaks it in one way.
type simple struct {
	*clock
	mu   sync.Mutex
	live map[string]record

	looksThenWrites bool // Add checks and stores in two steps
	takesInTwoSteps bool // Take reads and removes in two steps
	overwrites      bool // Add forgets to look
	keepsOnTake     bool // Take forgets to remove
	aliases         bool // values are shared with the caller
	neverExpires    bool
	expiresEarly    bool
	takesPast       bool // a lifetime that is over is accepted
	ignoresContext  bool
	cutsLifetimes   bool // to what it likes
	mixesKinds      bool // the prefix is dropped
	truncates       bool // values end at a zero byte
	movesSinceBack  bool
	hasNoQuota      bool
	evicts          bool // makes room by dropping a live record
}

// clock is a clock that the suite moves.
type clock struct{ moved atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.moved.Load()) }
func (c *clock) advance(d time.Duration) { c.moved.Add(int64(d)) }

type record struct {
	v   []byte
	exp time.Time
}

func (s *simple) name(key string) string {
	if s.mixesKinds {
		return key[strings.IndexByte(key, '.')+1:]
	}
	return key
}

const quota = 50

func (s *simple) Add(ctx context.Context, key string, v []byte, exp time.Time) error {
	if ctx.Err() != nil && !s.ignoresContext {
		return ctx.Err()
	}
	now := s.now()
	if !now.Before(exp) && !s.takesPast {
		return acs.ErrExpired
	}
	if s.cutsLifetimes {
		exp = now.Add(min(exp.Sub(now), time.Hour))
	}
	if s.expiresEarly {
		exp = now.Add(exp.Sub(now) / 2)
	}
	if !s.aliases {
		v = append([]byte(nil), v...)
	}
	if s.truncates {
		v, _, _ = bytes.Cut(v, []byte{0})
	}
	s.mu.Lock()
	old, ok := s.live[s.name(key)]
	if ok && (now.Before(old.exp) || s.neverExpires) && !s.overwrites {
		s.mu.Unlock()
		return acs.ErrExists
	}
	requests := 0
	for k := range s.live {
		if strings.HasPrefix(k, acs.KeyPrefixRequest) {
			requests++
		}
	}
	if requests >= quota && strings.HasPrefix(key, acs.KeyPrefixRequest) && !s.hasNoQuota {
		if !s.evicts {
			s.mu.Unlock()
			return acs.ErrFull
		}
		for k := range s.live {
			delete(s.live, k)
			break
		}
	}
	if s.looksThenWrites {
		s.mu.Unlock()
		<-time.After(time.Millisecond)
		s.mu.Lock()
	}
	s.live[s.name(key)] = record{v, exp}
	s.mu.Unlock()
	return nil
}

func (s *simple) Take(ctx context.Context, key string) ([]byte, error) {
	if ctx.Err() != nil && !s.ignoresContext {
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.live[s.name(key)]
	if !ok || !s.now().Before(r.exp) && !s.neverExpires {
		return nil, acs.ErrNotFound
	}
	if s.takesInTwoSteps {
		s.mu.Unlock()
		<-time.After(time.Millisecond)
		s.mu.Lock()
	}
	if !s.keepsOnTake {
		delete(s.live, s.name(key))
	}
	return r.v, nil
}

func (s *simple) Since() time.Time {
	if s.movesSinceBack {
		return time.Unix(1, 0).Add(-time.Duration(len(s.live)))
	}
	return time.Unix(1, 0)
}

var faults = map[string]func(*simple){
	"none":            func(*simple) {},
	"looksThenWrites": func(s *simple) { s.looksThenWrites = true },
	"takesInTwoSteps": func(s *simple) { s.takesInTwoSteps = true },
	"overwrites":      func(s *simple) { s.overwrites = true },
	"keepsOnTake":     func(s *simple) { s.keepsOnTake = true },
	"aliases":         func(s *simple) { s.aliases = true },
	"neverExpires":    func(s *simple) { s.neverExpires = true },
	"expiresEarly":    func(s *simple) { s.expiresEarly = true },
	"takesPast":       func(s *simple) { s.takesPast = true },
	"ignoresContext":  func(s *simple) { s.ignoresContext = true },
	"cutsLifetimes":   func(s *simple) { s.cutsLifetimes = true },
	"mixesKinds":      func(s *simple) { s.mixesKinds = true },
	"truncates":       func(s *simple) { s.truncates = true },
	"movesSinceBack":  func(s *simple) { s.movesSinceBack = true },
	"hasNoQuota":      func(s *simple) { s.hasNoQuota = true },
	"evicts":          func(s *simple) { s.evicts = true },
}

const faultVariable = "STORETEST_FAULT"

// TestFault runs the suite on a store with one fault, when TestSuiteFindsFaults
// starts this binary again to see it fail.
func TestFault(t *testing.T) {
	breakIt, ok := faults[os.Getenv(faultVariable)]
	if !ok {
		t.Skip("started by TestSuiteFindsFaults")
	}
	c := new(clock)
	storetest.Run(t, func(*testing.T) acs.Store {
		s := &simple{clock: c, live: make(map[string]record)}
		breakIt(s)
		return s
	}, storetest.Options{Now: c.now, Advance: c.advance, MaxRequests: quota})
}

func TestSuiteFindsFaults(t *testing.T) {
	for fault := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestFault$")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			require.Contains(t, string(out), map[bool]string{true: "PASS", false: "FAIL"}[fault == "none"], "%s", out)
			require.Equal(t, fault == "none", err == nil, "%s", out)
			require.NotContains(t, string(out), "panic", "%s", out)
		})
	}
}
