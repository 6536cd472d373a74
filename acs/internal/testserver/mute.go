package testserver

import (
	"context"
	"net"
	"sync"
)

// Dialer connects to servers that can be muted: they still receive what the client sends, and their answers are
// dropped.
type Dialer struct {
	muted sync.Map // by address
}

// Dial connects to a server.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	conn, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	return &mutable{conn, d, addr}, nil
}

// DialContext is Dial for go-redis.
func (d *Dialer) DialContext(_ context.Context, network, addr string) (net.Conn, error) {
	return d.Dial(network, addr)
}

// Mute drops the answers of the server at addr from now on.
func (d *Dialer) Mute(addr string) { d.muted.Store(addr, true) }

type mutable struct {
	net.Conn
	dialer *Dialer
	addr   string
}

func (m *mutable) Read(p []byte) (int, error) {
	for {
		n, err := m.Conn.Read(p)
		if _, muted := m.dialer.muted.Load(m.addr); err != nil || !muted {
			return n, err
		}
	}
}
