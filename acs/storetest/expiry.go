package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// pastLifetimes: a record that would be over at once is an error, because the
// caller would take it for remembered.
func (s *suite) pastLifetimes() {
	k := key(acs.KeyPrefixAssertion, "past")
	for _, exp := range []time.Time{
		s.now().Add(-time.Second), s.now().Add(-time.Minute), s.now().Add(-24 * time.Hour),
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

// life is the lifetime of the tests that wait for its end: short where it is
// waited for, odd where only the clock is moved.
func (s *suite) life() time.Duration {
	if s.Advance != nil {
		return 90*time.Second + 7*time.Millisecond
	}
	return 1100 * time.Millisecond
}

// until brings the moment at which done holds. It gives up when the record
// has had its lifetime and all the time that it may live on.
func (s *suite) until(end time.Time, done func() bool) {
	s.Helper()
	for limit := end.Add(s.RoundsUp); ; {
		late := s.now().After(limit) // by then: the answer may take its time
		if done() {
			return
		}
		if late {
			s.Fatalf("still alive %v after its lifetime", s.RoundsUp)
		}
		if s.Advance != nil {
			s.Advance(s.life() / 10)
			continue
		}
		<-time.After(10 * time.Millisecond) // then look again
	}
}

// mortal adds records that live for that long, and gives their keys and their
// end. On a busy machine their time may be over before they are added: then it
// is others that are.
func (s *suite) mortal(prefix string, names ...string) (keys []string, end time.Time) {
	s.Helper()
	for try := 0; len(keys) < len(names); try++ {
		keys, end = nil, s.now().Add(s.life())
		for _, name := range names {
			k := key(prefix, fmt.Sprint(name, " ", try))
			err := s.add(k, "v", end)
			if errors.Is(err, acs.ErrExpired) && !s.now().Before(end) {
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

// expiry: a key is free again after the lifetime, and not before.
func (s *suite) expiry() {
	keys, end := s.mortal(acs.KeyPrefixAssertion, "expiry")
	k := keys[0]
	s.until(end, func() bool { return s.add(k, "second", s.soon().Add(time.Hour)) == nil })
	if now := s.now(); now.Before(end) {
		s.Fatalf("it was forgotten %v before its lifetime ended", end.Sub(now))
	}
	s.wantValue(k, "second")
}

// takeAfterExpiry: what is over is not found. The second key tells when.
func (s *suite) takeAfterExpiry() {
	keys, end := s.mortal(acs.KeyPrefixRequest, "over", "tell")
	k, tell := keys[0], keys[1]
	s.until(end, func() bool { return s.add(tell, "v", s.soon().Add(time.Hour)) == nil })
	over := end.Add(s.life()) // the two need not go at the same moment
	s.until(over, func() bool { return s.now().After(over) })
	s.wantNothing(k)
	s.mustAdd(k, "v")
}

// longLifetimes: a day is kept as it is, not cut to what the store likes.
func (s *suite) longLifetimes() {
	k := key(acs.KeyPrefixAssertion, "day")
	end := s.now().Add(24*time.Hour + time.Millisecond)
	if err := s.add(k, "v", end); err != nil {
		s.Fatalf("Add: %v", err)
	}
	if s.Advance != nil {
		s.Advance(24 * time.Hour)
	}
	s.wantExists(k)
	s.wantValue(k, "v")
}
