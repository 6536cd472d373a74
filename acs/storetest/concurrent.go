package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/meridian-saml/meridian/acs"
)

const (
	rounds = 20
	racers = 32
)

// race runs f on several goroutines that are let go together.
func race(n int, f func(i int)) {
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wait.Add(1)
		go func() {
			defer wait.Done()
			<-start
			f(i)
		}()
	}
	close(start)
	wait.Wait()
}

// concurrentAdd: of many at once, one wins, and its value stays. A store that
// looks first and writes then fails here.
func (s *suite) concurrentAdd() {
	for round := range rounds {
		k := key(acs.KeyPrefixAssertion, fmt.Sprint("add ", round))
		exp := s.soon()
		var won, other atomic.Int64
		var winner atomic.Value
		race(racers, func(i int) {
			v := fmt.Sprint("racer ", i)
			switch err := s.store.Add(context.Background(), k, []byte(v), exp); {
			case err == nil:
				won.Add(1)
				winner.Store(v)
			case !errors.Is(err, acs.ErrExists):
				other.Add(1)
				s.Errorf("Add: want nil or ErrExists, got %v", err)
			}
		})
		if won.Load() != 1 || other.Load() != 0 {
			s.Fatalf("round %d: want 1 of %d Adds to win, got %d", round, racers, won.Load())
		}
		s.wantValue(k, winner.Load().(string))
	}
}

// concurrentTake: of many at once, one gets the value.
func (s *suite) concurrentTake() {
	for round := range rounds {
		k := key(acs.KeyPrefixRequest, fmt.Sprint("take ", round))
		s.mustAdd(k, "v")
		var got atomic.Int64
		race(racers, func(int) {
			switch v, err := s.store.Take(context.Background(), k); {
			case err == nil && string(v) == "v":
				got.Add(1)
			case err == nil:
				s.Errorf("Take: want %q, got %q", "v", v)
			case !errors.Is(err, acs.ErrNotFound):
				s.Errorf("Take: want the value or ErrNotFound, got %v", err)
			}
		})
		if got.Load() != 1 {
			s.Fatalf("round %d: want 1 of %d Takes to get it, got %d", round, racers, got.Load())
		}
	}
}

// concurrentMix: what was added is taken exactly as often, in whatever order
// they meet.
func (s *suite) concurrentMix() {
	k := key(acs.KeyPrefixRequest, "mix")
	exp := s.soon()
	var added, taken atomic.Int64
	race(racers, func(i int) {
		for range rounds {
			if i%2 == 0 {
				if s.store.Add(context.Background(), k, []byte("v"), exp) == nil {
					added.Add(1)
				}
			} else if _, err := s.store.Take(context.Background(), k); err == nil {
				taken.Add(1)
			}
		}
	})
	if _, err := s.store.Take(context.Background(), k); err == nil {
		taken.Add(1)
	}
	if added.Load() != taken.Load() || added.Load() == 0 {
		s.Fatalf("want as many taken as added and at least one, got %d added and %d taken", added.Load(), taken.Load())
	}
}
