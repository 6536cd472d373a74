package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// pastLifetimes: Add returns an error for a record that has already expired.
func (s *suite) pastLifetimes() {
	k := key(acs.KeyPrefixAssertion, "past")
	for _, exp := range []time.Time{
		s.Now().Add(-time.Second), s.Now().Add(-time.Minute), s.Now().Add(-24 * time.Hour),
		time.Unix(0, 0), {},
	} {
		if err := s.add(k, "v", exp); !errors.Is(err, acs.ErrExpired) {
			s.Fatalf("Add until %v: want ErrExpired, got %v", exp, err)
		}
		s.wantNothing(k)
	}
	s.mustAdd(k, "v")
	s.wantValue(k, "v")
}

// life returns the lifetime in tests of expiry: short if they wait for its end, and not a round number if they
// move the clock.
func (s *suite) life() time.Duration {
	if s.Advance != nil {
		return 90*time.Second + 7*time.Millisecond
	}
	return 1100 * time.Millisecond
}

// until waits until done returns true, at most until the record's end plus RoundsUp.
func (s *suite) until(end time.Time, done func() bool) {
	s.Helper()
	for limit := end.Add(s.RoundsUp); ; {
		late := s.Now().After(limit) // before done, which may take time
		if done() {
			return
		}
		if late {
			s.Fatalf("the record is still live %v after its lifetime", s.RoundsUp)
		}
		if s.Advance != nil {
			s.Advance(s.life() / 10)
			continue
		}
		<-time.After(10 * time.Millisecond) // then look again
	}
}

// addShort adds records that live for life, with these prefixes, and returns their keys and their end. On a slow
// machine they may expire before all are added: then it adds others.
func (s *suite) addShort(prefixes ...string) (keys []string, end time.Time) {
	s.Helper()
	for try := 0; len(keys) < len(prefixes); try++ {
		keys, end = nil, s.Now().Add(s.life())
		for i, prefix := range prefixes {
			k := key(prefix, fmt.Sprint("short ", i, try))
			err := s.add(k, "v", end)
			if errors.Is(err, acs.ErrExpired) && !s.Now().Before(end) {
				break
			}
			if err != nil {
				s.Fatalf("Add: %v", err)
			}
			keys = append(keys, k)
		}
	}
	return keys, end
}

// expiry: a key is free after the lifetime and not before. Take doesn't find an expired record.
func (s *suite) expiry() {
	keys, end := s.addShort(acs.KeyPrefixAssertion, acs.KeyPrefixRequest, acs.KeyPrefixRequest)
	for _, k := range keys[:2] {
		s.until(end, func() bool { return s.add(k, "second", s.soon().Add(time.Hour)) == nil })
		if now := s.Now(); now.Before(end) {
			s.Fatalf("the record was dropped %v before its end", end.Sub(now))
		}
		s.wantValue(k, "second")
	}
	over := s.Now().Add(s.life()) // they may expire at different times
	s.until(over, func() bool { return s.Now().After(over) })
	s.wantNothing(keys[2])
	s.mustAdd(keys[2], "v")
}

// longLifetimes: a record lives for a day.
func (s *suite) longLifetimes() {
	k := key(acs.KeyPrefixAssertion, "day")
	end := s.Now().Add(24*time.Hour + time.Millisecond)
	if err := s.add(k, "v", end); err != nil {
		s.Fatalf("Add: %v", err)
	}
	if s.Advance != nil {
		s.Advance(24 * time.Hour)
	}
	s.wantExists(k)
	s.wantValue(k, "v")
}
