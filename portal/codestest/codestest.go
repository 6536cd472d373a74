// Package codestest checks that an implementation of [portal.Codes] keeps its contract. Call Run in the tests of your
// Codes:
//
//	func TestCodes(t *testing.T) {
//		codestest.Run(t, func(t *testing.T) []codestest.Region {
//			return []codestest.Region{{Name: "us-east-1", Codes: mycodes.New(…)}}
//		}, codestest.Options{})
//	}
package codestest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/portal"
)

// Region is a Region with its codes.
type Region struct {
	Name  string
	Codes portal.Codes
}

// Options describes a run. The zero value is valid.
type Options struct {
	// Patience is how long a test retries to take a code that was put in another Region. Zero: a minute.
	Patience time.Duration
}

// Run checks the Codes that open returns: those of one Region, or of several Regions that share them. They must be
// empty, and open registers their cleanup with t.Cleanup. Each test puts codes in every Region and takes them in every
// Region.
func Run(t *testing.T, open func(t *testing.T) []Region, o Options) {
	t.Helper()
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	regions := open(t)
	if len(regions) == 0 {
		t.Fatal("codestest: open returned no Region")
	}
	for name, test := range map[string]func(*suite){
		"TakenOnce":       (*suite).takenOnce,
		"TakenOnceByMany": (*suite).takenOnceByMany,
		"ValuesAreCopied": (*suite).valuesAreCopied,
		"KeysDoNotMix":    (*suite).keysDoNotMix,
		"Dropped":         (*suite).dropped,
		"Past":            (*suite).past,
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range regions {
				for _, to := range regions {
					test(&suite{T: t, Options: o, from: from, to: to})
				}
			}
		})
	}
}

type suite struct {
	*testing.T
	Options
	from, to Region
}

func (s *suite) key(name string) string {
	return fmt.Sprintf("%s-%s-%s-%s", s.Name(), s.from.Name, s.to.Name, name)
}

func (s *suite) put(key string, v []byte) {
	s.Helper()
	if err := s.from.Codes.PutCode(s.Context(), key, v, time.Now().Add(10*time.Minute)); err != nil {
		s.Fatalf("PutCode: %v", err)
	}
}

func (s *suite) tryTake(key string) (v []byte, ok bool) {
	s.Helper()
	v, from, err := s.to.Codes.TakeCode(s.Context(), key)
	switch {
	case errors.Is(err, portal.ErrNoCode):
		if v != nil || from != "" {
			s.Errorf("TakeCode: want no value and no Region with ErrNoCode, got %q from %q", v, from)
		}
		return nil, false
	case err != nil:
		s.Errorf("TakeCode: want a value or ErrNoCode, got %v", err)
		return nil, false
	case from != "" && from != s.from.Name:
		s.Errorf("TakeCode: want Region %q or none, got %q", s.from.Name, from)
	}
	return v, true
}

// take takes a code that was put. It waits until the code has arrived.
func (s *suite) take(key string) []byte {
	s.Helper()
	for end := time.Now().Add(s.Patience); ; {
		if v, ok := s.tryTake(key); ok {
			return v
		}
		if s.from.Name == s.to.Name || time.Now().After(end) {
			s.Fatalf("TakeCode: want a value within %v, got ErrNoCode", s.Patience)
		}
	}
}

func (s *suite) wantNone(key string) {
	s.Helper()
	if v, ok := s.tryTake(key); ok {
		s.Fatalf("TakeCode: want ErrNoCode, got %q", v)
	}
}

// takenOnce: TakeCode returns a code's value once.
func (s *suite) takenOnce() {
	key := s.key("once")
	s.wantNone(key)
	s.put(key, []byte("value"))
	if v := s.take(key); string(v) != "value" {
		s.Fatalf("TakeCode: want %q, got %q", "value", v)
	}
	s.wantNone(key)
}

// takenOnceByMany: exactly one of several concurrent callers takes the code.
func (s *suite) takenOnceByMany() {
	const racers = 32
	key := s.key("many")
	s.put(key, []byte("value"))
	var got atomic.Int64
	for end := time.Now().Add(s.Patience); got.Load() == 0; {
		if time.Now().After(end) {
			s.Fatalf("no code within %v", s.Patience)
		}
		var wait sync.WaitGroup
		for range racers {
			wait.Go(func() {
				if _, ok := s.tryTake(key); ok {
					got.Add(1)
				}
			})
		}
		wait.Wait()
	}
	if got.Load() != 1 {
		s.Fatalf("TakeCode: want the code for 1 of %d callers, got %d", racers, got.Load())
	}
}

// valuesAreCopied: changing a value after PutCode doesn't change the code.
func (s *suite) valuesAreCopied() {
	key, v := s.key("copied"), []byte("value")
	s.put(key, v)
	clear(v)
	if got := s.take(key); string(got) != "value" {
		s.Fatalf("TakeCode: want %q, got %q", "value", got)
	}
}

// keysDoNotMix: each code has its own value.
func (s *suite) keysDoNotMix() {
	keys := []string{s.key("a"), s.key("aa"), s.key("a.a")}
	for _, key := range keys {
		s.put(key, []byte(key))
	}
	slices.Reverse(keys)
	for _, key := range keys {
		if v := s.take(key); string(v) != key {
			s.Fatalf("TakeCode(%q): got the value of %q", key, v)
		}
	}
}

// dropped: a dropped code can't be taken in the same Region. Dropping an unknown code is no error.
func (s *suite) dropped() {
	key := s.key("dropped")
	here := *s
	here.to = s.from
	s.put(key, []byte("value"))
	for range 2 {
		if err := s.from.Codes.DropCode(s.Context(), key); err != nil {
			s.Fatalf("DropCode: %v", err)
		}
	}
	here.wantNone(key)
	if err := s.to.Codes.DropCode(s.Context(), s.key("none")); err != nil {
		s.Fatalf("DropCode of an unknown code: %v", err)
	}
}

// past: PutCode refuses a code that has expired, or TakeCode doesn't return it.
func (s *suite) past() {
	key := s.key("past")
	if s.from.Codes.PutCode(s.Context(), key, []byte("value"), time.Now().Add(-time.Second)) == nil {
		s.wantNone(key)
	}
}
