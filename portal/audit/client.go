package audit

import (
	"context"
	"net/netip"
)

// client is who sent a request.
type client struct{ addr, userAgent string }

type clientKey struct{}

// WithClient returns a context for a request of a client, whose address, with or without a port, and user agent then
// are in the events that are written with it. The quota of refusals counts by that address.
func WithClient(ctx context.Context, addr, userAgent string) context.Context {
	return context.WithValue(ctx, clientKey{}, client{addr, userAgent})
}

// from fills in the client of a context.
func (e Event) from(ctx context.Context) Event {
	c, ok := ctx.Value(clientKey{}).(client)
	if !ok {
		return e
	}
	if e.ClientAddr == "" {
		e.ClientAddr = c.addr
		if with, err := netip.ParseAddrPort(c.addr); err == nil {
			e.ClientAddr = with.Addr().Unmap().String()
		}
	}
	if e.UserAgent == "" {
		e.UserAgent = c.userAgent
	}
	return e
}
