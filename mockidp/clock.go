package mockidp

import (
	"encoding/hex"
	"io"
	"time"
)

// Advance moves the Server's clock by d, on top of Config.Now: sessions and pending sign-ins age, and later
// messages have the later time. A negative d moves it back. Reset undoes it. Each tenant has a clock of its own.
func (s *Server) Advance(d time.Duration) { s.offset.Add(int64(d)) }

// ClockOffset returns by how much Advance has moved the clock.
func (s *Server) ClockOffset() time.Duration { return time.Duration(s.offset.Load()) }

// Now returns the time of the Server's clock.
func (s *Server) Now() time.Time { return s.now() }
func (s *Server) now() time.Time { return s.config.Now().Add(s.ClockOffset()) }

// SetInitial makes the present users, groups, apps and keys those that Reset goes back to, in place of the Config's.
func (s *Server) SetInitial() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.initial.Store(s.state.Load())
}

// Reset goes back to the Config: its users, groups, apps, keys, faults and standing mutations. It ends all sessions
// and pending sign-ins, empties the queues and the list of messages, and undoes Advance. The address stays, and so do
// the keys and paths made at the start. Config.Rand isn't rewound. Reset resets the Server's tenants, too.
func (s *Server) Reset() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.state.Store(s.initial.Load())
	s.offset.Store(0)
	s.sessions.reset()
	s.pending.reset()
	s.factors.reset()
	s.again.reset()
	s.made.reset()
	s.artifacts.reset()
	s.logouts.reset()
	s.heard.reset()
	s.failures.reset()
	s.logins.reset()
	s.messages.reset()
	s.changed.wake()
	s.orders.with(func(o *orders) { *o = s.ordered.clone() })
	s.tenants.reset()
}

// newID returns an xs:ID that can't be guessed (SAML Core 1.3.4).
func (s *Server) newID() (string, *Error) {
	token, err := s.token(16)
	return "id" + token, err
}

// token returns n random bytes in hexadecimal.
func (s *Server) token(n int) (string, *Error) {
	b, err := s.random(n)
	return hex.EncodeToString(b), err
}

func (s *Server) random(n int) ([]byte, *Error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(readerFunc(s.readRandom), b); err != nil {
		return nil, internal("the random source failed", err)
	}
	return b, nil
}

func (s *Server) readRandom(b []byte) (int, error) {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	return s.config.Rand.Read(b)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
