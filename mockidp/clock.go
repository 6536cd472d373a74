package mockidp

import "time"

// Advance moves the Server's clock by d, on top of Config.Now: sessions and
// pending sign-ins age, and what is sent from now on bears the later time. A
// negative d goes back. Reset undoes it.
func (s *Server) Advance(d time.Duration) { s.offset.Add(int64(d)) }

// Now is the Server's clock.
func (s *Server) Now() time.Time { return s.now() }

func (s *Server) now() time.Time { return s.config.Now().Add(time.Duration(s.offset.Load())) }
