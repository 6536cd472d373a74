// Package loopback has the servers of the examples. They listen on loopback only, under names below localhost, and
// can be stopped and started again at the same address.
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

// Listen listens at a port, or at another if port is 0 or in use. The other port is below the range of ephemeral
// ports, so that it is probably still free when a server starts again.
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

// ListenAll listens at several ports, or at none.
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

// Address returns the loopback address of a port.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Port returns a listener's port.
func Port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// Origin returns the origin of a host and port.
func Origin(host string, port int) string { return "http://" + host + ":" + strconv.Itoa(port) }

// Server is an HTTP server that can be stopped and started again at the same address.
type Server struct {
	Addr string

	mu      sync.Mutex
	handler http.Handler
	http    *http.Server // nil while it is stopped
	done    chan struct{}
}

// Serve starts a server at a listener.
func Serve(l net.Listener, h http.Handler) *Server {
	s := &Server{Addr: l.Addr().String(), handler: h}
	s.serve(l)
	return s
}

// serve is called with mu held, or before s is shared.
func (s *Server) serve(l net.Listener) {
	s.http = &http.Server{
		Handler: s.handler, ErrorLog: log.New(io.Discard, "", 0),
		// A slow machine may need seconds between a connection and its request.
		ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	h, done := s.http, make(chan struct{})
	s.done = done
	go func() {
		defer close(done)
		_ = h.Serve(l)
	}()
}

// Running reports whether the server runs.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.http != nil
}

// Stop closes the listener and every connection at once, as when a server is lost.
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

// Start starts the server again at the same address.
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

// Handler returns the handler.
func (s *Server) Handler() http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handler
}

// Use replaces the handler from the next Start on.
func (s *Server) Use(h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}
