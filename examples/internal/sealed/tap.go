package sealed

import (
	"errors"
	"net"
	"os"

	"github.com/nats-io/nats.go"
)

// A Tap makes the connections of a Region to others, and keeps every byte of them in files, a pair of them for each
// connection. It is below TLS, so it is for connections without.
type Tap struct {
	Dir string
}

var _ nats.CustomDialer = Tap{}

// Dial implements nats.CustomDialer.
func (t Tap) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	out := &tapped{Conn: c}
	if out.sent, err = os.CreateTemp(t.Dir, "sent-"); err == nil {
		out.received, err = os.CreateTemp(t.Dir, "received-")
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return out, nil
}

type tapped struct {
	net.Conn
	sent, received *os.File
}

// Read implements net.Conn.
func (t *tapped) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if _, ferr := t.received.Write(b[:n]); err == nil {
		err = ferr
	}
	return n, err
}

// Write implements net.Conn.
func (t *tapped) Write(b []byte) (int, error) {
	if _, err := t.sent.Write(b); err != nil {
		return 0, err
	}
	return t.Conn.Write(b)
}

// Close implements net.Conn.
func (t *tapped) Close() error {
	return errors.Join(t.Conn.Close(), t.sent.Close(), t.received.Close())
}
