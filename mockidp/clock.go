package mockidp

import "time"

// Advance moves the Server's clock by d, on top of Config.Now: sessions and
// pending sign-ins age, and what is sent from now on bears the later time. A
// negative d goes back. Reset undoes it.
func (s *Server) Advance(d time.Duration) { s.offset.Add(int64(d)) }

// ClockOffset returns by how much Advance has moved the clock.
func (s *Server) ClockOffset() time.Duration { return time.Duration(s.offset.Load()) }

// Now is the Server's clock.
func (s *Server) Now() time.Time { return s.now() }

func (s *Server) now() time.Time { return s.config.Now().Add(s.ClockOffset()) }
