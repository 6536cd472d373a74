// Package testserver starts the servers that tests of stores need: on loopback, each in a directory of its own.
package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// Forgets tests that two running stores of one Region notice a loss before they accept an assertion: each fails
// at least once, never returns ErrExists for an unknown record, works again, and then remembers since a moment
// after the loss. tries is how many calls may fail before; unit is that of the server's clock.
func Forgets[S interface {
	acs.Store
	acs.Rememberer
}](t *testing.T, stores [2]S, tries int, unit time.Duration, lose func()) {
	t.Helper()
	add := func(s S, name any) error {
		return s.Add(t.Context(), acs.KeyPrefixAssertion+fmt.Sprint(name), []byte("v"), time.Now().Add(10*time.Minute))
	}
	if err := add(stores[0], "used"); err != nil {
		t.Fatalf("before the loss: %v", err)
	}
	before, lost := stores[0].Since(), time.Now().Truncate(unit)
	lose()
	for _, s := range stores {
		failed := 0
		for err := add(s, time.Now().UnixNano()); err != nil; err = add(s, time.Now().UnixNano()) {
			if errors.Is(err, acs.ErrExists) {
				t.Fatalf("after the loss: %v", err)
			}
			if failed++; failed == tries {
				t.Fatalf("it does not work again: %v", err)
			}
		}
		if failed == 0 {
			t.Fatal("the first call after the loss succeeds, want an error")
		}
		if since := s.Since(); !since.After(before) || since.Before(lost) {
			t.Fatalf("Since is %v; it was %v before the loss, which came after %v", since, before, lost)
		}
	}
	if a, b := stores[0].Since(), stores[1].Since(); !a.Equal(b) {
		t.Fatalf("Since is %v in one store and %v in the other", a, b)
	}
}

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
