package mockidp

import (
	"encoding/hex"
	"io"
)

// newID is an xs:ID that nobody can guess (SAML Core 1.3.4).
func (s *Server) newID() (string, *Error) {
	b, err := s.random(16)
	return "id" + hex.EncodeToString(b), err
}

func (s *Server) random(n int) ([]byte, *Error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(readerFunc(s.readRandom), b); err != nil {
		return nil, &Error{Reason: ReasonInternal, Detail: "the random source failed", Err: err}
	}
	return b, nil
}

// token is random text for an address or a form.
func (s *Server) token() (string, *Error) {
	b, err := s.random(16)
	return hex.EncodeToString(b), err
}

// readRandom is Config.Rand under the Server's lock.
func (s *Server) readRandom(b []byte) (int, error) {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	return s.config.Rand.Read(b)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
