//go:build unix

package regions_test

import (
	"io"
	"net"
	"sync"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/examples/internal/sealed"
)

// wire is the connection of one Region to a server of another. A wire that is
// cut drops all data silently, as a broken network does. When it is restored,
// open connections are reset.
type wire struct {
	net.Listener
	to     string
	search *sealed.Search // of every byte, also those that it drops

	mu    sync.Mutex
	cut   int // how many have cut it
	conns []net.Conn
}

func newWire(to string, search *sealed.Search) (*wire, error) {
	l, err := loopback.Listen(0)
	if err != nil {
		return nil, err
	}
	w := &wire{Listener: l, to: to, search: search}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.pass(c)
		}
	}()
	return w, nil
}

func (w *wire) url() string { return "nats://" + w.Addr().String() }

// keep adds an open connection, and returns false if the wire is cut.
func (w *wire) keep(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return w.cut == 0
}

func (w *wire) whole() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut == 0
}

func (w *wire) pass(in net.Conn) {
	if !w.keep(in) {
		return // it stays open and idle
	}
	out, err := net.Dial("tcp", w.to)
	if err != nil {
		_ = in.Close()
		return
	}
	w.keep(out)
	go w.pipe(in, out)
	w.pipe(out, in)
}

func (w *wire) pipe(from, to net.Conn) {
	buf, search := make([]byte, 32<<10), w.search.Stream()
	for {
		n, err := from.Read(buf)
		_, _ = search.Write(buf[:n]) // never fails
		if !w.whole() {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			_ = to.Close()
			_ = from.Close()
			return
		}
	}
}

// set cuts the wire, or restores it when every cut has ended.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cut {
		w.cut++
		return
	}
	if w.cut--; w.cut == 0 {
		w.reset()
	}
}

// reset closes the open connections. The caller holds mu.
func (w *wire) reset() {
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

func (w *wire) end() {
	_ = w.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reset()
}
