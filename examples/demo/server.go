package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// listen takes a port on loopback: the one asked for, or a free one if that is
// 0 or somebody else's.
func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil && port != 0 {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("no port on loopback: %w", err)
	}
	return l, nil
}

// origin is how browsers write where a listener is, under a name of our own.
func origin(host string, l net.Listener) string {
	return "http://" + host + ":" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// server is a listener with a handler that can be stopped and started again at
// the same address.
type server struct {
	addr    string
	handler http.Handler

	mu   sync.Mutex
	http *http.Server // nil while it is stopped
	done chan struct{}
}

// newServer starts at a listener that is there already.
func newServer(l net.Listener, h http.Handler) *server {
	s := &server{addr: l.Addr().String(), handler: h}
	s.serve(l)
	return s
}

// serve is called with mu held, or before anybody else knows s.
func (s *server) serve(l net.Listener) {
	s.http = &http.Server{
		Handler: s.handler, ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	s.done = make(chan struct{})
	go func(h *http.Server, done chan struct{}) {
		defer close(done)
		_ = h.Serve(l)
	}(s.http, s.done)
}

func (s *server) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.http != nil
}

// stop closes the listener and every connection at once: a Region that is lost
// doesn't say goodbye.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		return
	}
	_ = s.http.Close()
	<-s.done
	s.http = nil
}

// start listens at the same address as before.
func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	s.serve(l)
	return nil
}
