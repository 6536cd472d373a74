package storetest

import (
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

// race runs f in goroutines that start together.
func race(f func(i int)) {
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wait.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wait.Wait()
}

// concurrentAdd: of many concurrent Adds one succeeds, and its value stays. A store that reads first and then
// writes fails here.
func (s *suite) concurrentAdd() {
	for round := range rounds {
		k := key(acs.KeyPrefixAssertion, fmt.Sprint("add ", round))
		exp := s.soon()
		var added atomic.Int64
		var winner atomic.Value
		race(func(i int) {
			v := fmt.Sprint("racer ", i)
			switch err := s.store.Add(s.Context(), k, []byte(v), exp); {
			case err == nil:
				added.Add(1)
				winner.Store(v)
			case !errors.Is(err, acs.ErrExists):
				s.Errorf("Add: want nil or ErrExists, got %v", err)
			}
		})
		if added.Load() != 1 || s.Failed() {
			s.Fatalf("round %d: want 1 of %d Adds to succeed, got %d", round, racers, added.Load())
		}
		s.wantValue(k, winner.Load().(string))
	}
}

// concurrentTake: of many concurrent Takes one gets the value.
func (s *suite) concurrentTake() {
	for round := range rounds {
		k := key(acs.KeyPrefixRequest, fmt.Sprint("take ", round))
		s.mustAdd(k, "v")
		var taken atomic.Int64
		race(func(int) {
			switch v, err := s.store.Take(s.Context(), k); {
			case err == nil && string(v) == "v":
				taken.Add(1)
			case err == nil:
				s.Errorf("Take: want %q, got %q", "v", v)
			case !errors.Is(err, acs.ErrNotFound):
				s.Errorf("Take: want the value or ErrNotFound, got %v", err)
			}
		})
		if taken.Load() != 1 {
			s.Fatalf("round %d: want 1 of %d Takes to succeed, got %d", round, racers, taken.Load())
		}
	}
}

// concurrentMix: each added record is taken once, in whatever order the calls meet.
func (s *suite) concurrentMix() {
	k := key(acs.KeyPrefixRequest, "mix")
	exp := s.soon()
	var added, taken atomic.Int64
	take := func() {
		if _, err := s.store.Take(s.Context(), k); err == nil {
			taken.Add(1)
		}
	}
	race(func(i int) {
		for range rounds {
			if i%2 == 1 {
				take()
			} else if s.store.Add(s.Context(), k, []byte("v"), exp) == nil {
				added.Add(1)
			}
		}
	})
	take()
	if added.Load() != taken.Load() || added.Load() == 0 {
		s.Fatalf("want as many taken as added and at least one, got %d added and %d taken", added.Load(), taken.Load())
	}
}
