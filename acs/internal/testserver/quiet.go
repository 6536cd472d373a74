package testserver

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Quiet is a way to a server that can be muted: what is sent still gets there,
// and nothing comes back.
type Quiet struct {
	listener net.Listener
	muted    atomic.Bool
	wait     sync.WaitGroup
	mu       sync.Mutex
	open     []net.Conn
}

// NewQuiet listens on loopback and leads to addr.
func NewQuiet(t testing.TB, addr string) *Quiet {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q := &Quiet{listener: l}
	t.Cleanup(q.close)
	q.wait.Add(1)
	go func() {
		defer q.wait.Done()
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", addr)
			if err != nil {
				_ = in.Close()
				continue
			}
			q.carry(in, out)
		}
	}()
	return q
}

// Addr is where it listens.
func (q *Quiet) Addr() string { return q.listener.Addr().String() }

// Mute drops all answers from now on.
func (q *Quiet) Mute() { q.muted.Store(true) }

func (q *Quiet) carry(in, out net.Conn) {
	q.mu.Lock()
	q.open = append(q.open, in, out)
	q.mu.Unlock()
	q.wait.Add(2)
	go func() {
		defer q.wait.Done()
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	go func() {
		defer q.wait.Done()
		_, _ = io.Copy(mutable{q, in}, out)
		_ = in.Close()
	}()
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
