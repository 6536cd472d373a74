// Package loopback is how the examples listen: on this machine alone, under
// names below localhost, and so that a server can be stopped and started again
// at its address.
package loopback

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Listen takes a port: the one asked for, or another if that is 0 or
// taken. Another is outside of what systems give to outgoing connections, so
// that it is likely to be free still when a server comes back to it.
func Listen(port int) (net.Listener, error) {
	for range 50 {
		if port != 0 {
			if l, err := net.Listen("tcp", Address(port)); err == nil {
				return l, nil
			}
		}
		port = 12000 + rand.IntN(18000)
	}
	l, err := net.Listen("tcp", Address(0))
	if err != nil {
		return nil, fmt.Errorf("no port on loopback: %w", err)
	}
	return l, nil
}

// ListenAll takes several ports, or none.
func ListenAll(ports ...int) ([]net.Listener, error) {
	var out []net.Listener
	for _, port := range ports {
		l, err := Listen(port)
		if err != nil {
			for _, l := range out {
				_ = l.Close()
			}
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// Address is a port of this machine, as net takes it.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Port is where a listener is.
func Port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// Origin is how browsers write where a port is, under a name of our own.
func Origin(host string, port int) string { return "http://" + host + ":" + strconv.Itoa(port) }

// Server is a listener with a handler that can be stopped and started again at
// the same address.
type Server struct {
	Addr string

	mu      sync.Mutex
	handler http.Handler
	http    *http.Server // nil while it is stopped
	done    chan struct{}
}

// Serve starts at a listener that is there already.
func Serve(l net.Listener, h http.Handler) *Server {
	s := &Server{Addr: l.Addr().String(), handler: h}
	s.serve(l)
	return s
}

// serve is called with mu held, or before s is shared.
func (s *Server) serve(l net.Listener) {
	s.http = &http.Server{
		Handler: s.handler, ErrorLog: log.New(io.Discard, "", 0),
		// A busy machine may need seconds between a connection and its request.
		ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	s.done = make(chan struct{})
	go func(h *http.Server, done chan struct{}) {
		defer close(done)
		_ = h.Serve(l)
	}(s.http, s.done)
}

// Running says whether it serves.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.http != nil
}

// Stop closes the listener and every connection at once: a server that is lost
// doesn't say goodbye.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		return
	}
	_ = s.http.Close()
	<-s.done
	s.http = nil
}

// Start listens at the same address as before.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return err
	}
	s.serve(l)
	return nil
}

// Handler is what serves.
func (s *Server) Handler() http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handler
}

// Use puts another handler in the old one's place, from the next Start on.
func (s *Server) Use(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}
