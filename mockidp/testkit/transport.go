package testkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
)

// DialLoopback is for http.Transport's DialContext. It reaches localhost, every
// name below it, and other loopback addresses, as browsers do (RFC 6761 6.3) and
// Go's resolver doesn't. It reaches nothing else.
func DialLoopback(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if !loopback(host) {
		return nil, errors.New("testkit: not this machine: " + addr)
	}
	if !isIP(host) {
		host = "127.0.0.1"
	}
	return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
}

// ConnectionRefused says whether an error is that nothing listens at the address.
func ConnectionRefused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout()
}

// Handlers are a Browser's Transport that has no network: handlers by host, with
// the port where the URL has one.
type Handlers map[string]http.Handler

// RoundTrip calls the handler of the request's host. A panic of the handler is
// the caller's.
func (h Handlers) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := h[r.URL.Host]
	if handler == nil {
		return nil, fmt.Errorf("testkit: no handler for the host %q", r.URL.Host)
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	in.Header = r.Header.Clone()
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, in)
	res := rec.Result()
	res.Request = r
	return res, nil
}

// secure says whether browsers trust a connection (Secure Contexts 3.1): https,
// or this machine.
func secure(u *url.URL) bool { return u.Scheme == "https" || loopback(u.Hostname()) }

// loopback is mockidp.IsLoopback again, because this package imports none of
// the module's: one table tests both.
func loopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)

func isIP(host string) bool { return net.ParseIP(host) != nil }
