package testserver

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Quiet is a TCP proxy that can be muted: it still passes on what the client
// sends, and drops what the server sends.
type Quiet struct {
	listener net.Listener
	muted    atomic.Bool
	wait     sync.WaitGroup
	mu       sync.Mutex
	open     []net.Conn
}

// NewQuiet listens on loopback and forwards to addr.
func NewQuiet(t testing.TB, addr string) *Quiet {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q := &Quiet{listener: l}
	t.Cleanup(q.close)
	q.wait.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				_ = client.Close()
				continue
			}
			q.forward(client, server)
		}
	})
	return q
}

// Addr returns the proxy's address.
func (q *Quiet) Addr() string { return q.listener.Addr().String() }

// Mute drops what the server sends from now on.
func (q *Quiet) Mute() { q.muted.Store(true) }

func (q *Quiet) forward(client, server net.Conn) {
	q.mu.Lock()
	q.open = append(q.open, client, server)
	q.mu.Unlock()
	q.wait.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	q.wait.Go(func() {
		_, _ = io.Copy(mutable{q, client}, server)
		_ = client.Close()
	})
}

func (q *Quiet) close() {
	_ = q.listener.Close()
	q.mu.Lock()
	for _, c := range q.open {
		_ = c.Close()
	}
	q.mu.Unlock()
	q.wait.Wait()
}

type mutable struct {
	q  *Quiet
	to io.Writer
}

func (m mutable) Write(p []byte) (int, error) {
	if m.q.muted.Load() {
		return len(p), nil
	}
	return m.to.Write(p)
}
