package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// key returns a key as package acs makes them.
func key(prefix, name string) string {
	sum := sha256.Sum256([]byte(name))
	return prefix + hex.EncodeToString(sum[:])
}

// soon returns an instant after the end of every test.
func (s *suite) soon() time.Time { return s.Now().Add(10 * time.Minute) }

// add returns nil or one of the documented errors, and fails otherwise.
func (s *suite) add(key, value string, exp time.Time) error {
	s.Helper()
	err := s.store.Add(s.Context(), key, []byte(value), exp)
	for _, known := range []error{nil, acs.ErrExists, acs.ErrExpired, acs.ErrFull} {
		if errors.Is(err, known) {
			return known
		}
	}
	s.Fatalf("Add(%q): %v", key, err)
	return nil
}

func (s *suite) mustAdd(key, value string) {
	s.Helper()
	if err := s.add(key, value, s.soon()); err != nil {
		s.Fatalf("Add(%q): want no error, got %v", key, err)
	}
}

func (s *suite) wantValue(key, want string) {
	s.Helper()
	got, err := s.store.Take(s.Context(), key)
	if err != nil || string(got) != want {
		s.Fatalf("Take(%q): want %.60q (%d bytes), got %.60q (%d bytes) and error %v",
			key, want, len(want), got, len(got), err)
	}
}

func (s *suite) wantNothing(key string) {
	s.Helper()
	got, err := s.store.Take(s.Context(), key)
	if !errors.Is(err, acs.ErrNotFound) || got != nil {
		s.Fatalf("Take(%q): want no value and ErrNotFound, got %.60q and %v", key, got, err)
	}
}

func (s *suite) wantExists(key string) {
	s.Helper()
	for _, exp := range []time.Time{s.soon(), s.soon().Add(time.Hour)} {
		if err := s.add(key, "another", exp); !errors.Is(err, acs.ErrExists) {
			s.Fatalf("Add(%q): want ErrExists, got %v", key, err)
		}
	}
}

// addAndTake: Add stores one value under a key, and Take removes it.
func (s *suite) addAndTake() {
	for _, k := range []string{
		key(acs.KeyPrefixRequest, "1"), key(acs.KeyPrefixAssertion, "1"), key("", "1"),
		"a", "0", "a.b.c", strings.Repeat("z", 100),
	} {
		s.wantNothing(k)
		for i := range 3 {
			s.mustAdd(k, fmt.Sprint(k, i))
			s.wantExists(k)
			s.wantExists(k)
			s.wantValue(k, fmt.Sprint(k, i))
			s.wantNothing(k)
			s.wantNothing(k)
		}
	}
}

// keysAreSeparate: kinds of record are separate, and so are keys that are prefixes of others.
func (s *suite) keysAreSeparate() {
	keys := []string{
		key(acs.KeyPrefixRequest, "same"), key(acs.KeyPrefixAssertion, "same"), key("", "same"),
		"a", "a.a", "a.a.a", "aa",
	}
	for _, k := range keys {
		s.mustAdd(k, "value of "+k)
	}
	for _, k := range keys {
		s.wantExists(k)
	}
	for _, k := range keys {
		s.wantValue(k, "value of "+k)
	}
}

func (s *suite) valuesAreCopied() {
	k := key(acs.KeyPrefixRequest, "copied")
	v := []byte("as it was")
	if err := s.store.Add(s.Context(), k, v, s.soon()); err != nil {
		s.Fatalf("Add: %v", err)
	}
	copy(v, "!!!!!!!!!")
	got, err := s.store.Take(s.Context(), k)
	if err != nil || string(got) != "as it was" {
		s.Fatalf("want the value as it was added, got %q and error %v", got, err)
	}
	copy(got, "!!!!!!!!!") // the slice belongs to the caller now
	s.mustAdd(k, "as it was")
	s.wantValue(k, "as it was")
}

func (s *suite) valueSizes() {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	values := [][]byte{nil, {}, {0}, all, bytes.Repeat(all, 4), bytes.Repeat(all, 256)}
	for i, v := range values {
		k := key(acs.KeyPrefixRequest, fmt.Sprint("size ", i))
		s.mustAdd(k, string(v))
		s.wantExists(k)
		s.wantValue(k, string(v))
	}
}

// cancelledContexts: a call with a cancelled context changes nothing, and returns none of the errors in the
// contract.
func (s *suite) cancelledContexts() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	k := key(acs.KeyPrefixAssertion, "cancelled")
	answers := func(err error) bool {
		return err == nil || errors.Is(err, acs.ErrNotFound) || errors.Is(err, acs.ErrExists) || errors.Is(err, acs.ErrFull)
	}
	if err := s.store.Add(ctx, k, []byte("v"), s.soon()); answers(err) {
		s.Fatalf("Add with a cancelled context: want the context's error, got %v", err)
	}
	s.wantNothing(k)
	s.mustAdd(k, "v")
	if got, err := s.store.Take(ctx, k); answers(err) || got != nil {
		s.Fatalf("Take with a cancelled context: want the context's error, got %q, %v", got, err)
	}
	s.wantValue(k, "v")
}

// since: a store that can lose records never moves Since back, and loses none here.
func (s *suite) since() {
	r, ok := s.store.(acs.Rememberer)
	if !ok {
		s.Skip("the store is not an acs.Rememberer")
	}
	last := r.Since()
	for i := range 50 {
		k := key(acs.KeyPrefixAssertion, fmt.Sprint("since ", i))
		s.mustAdd(k, "v")
		now := r.Since()
		if now.Before(last) {
			s.Fatalf("Since moved back from %v to %v", last, now)
		}
		last = now
	}
	s.wantExists(key(acs.KeyPrefixAssertion, "since 0"))
}

// quota: when the quota is used up, only requests are refused. Taking a request makes room for another.
func (s *suite) quota() {
	if s.MaxRequests == 0 {
		s.Skip("Options.MaxRequests is zero")
	}
	request := func(i int) string { return key(acs.KeyPrefixRequest, fmt.Sprint("quota ", i)) }
	used := key(acs.KeyPrefixAssertion, "before")
	s.mustAdd(used, "v")
	for i := range s.MaxRequests {
		s.mustAdd(request(i), "v")
	}
	more := request(s.MaxRequests)
	if err := s.add(more, "v", s.soon()); !errors.Is(err, acs.ErrFull) {
		s.Fatalf("request number %d: want ErrFull, got %v", s.MaxRequests+1, err)
	}
	s.wantNothing(more)
	s.mustAdd(key(acs.KeyPrefixAssertion, "after"), "v")
	s.wantExists(used)
	s.wantValue(request(0), "v")
	s.mustAdd(more, "v")
}

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

// concurrentMix: each added record is taken once, whatever the order of the calls.
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
