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

// DialLoopback is a DialContext for http.Transport that dials loopback only. Names below localhost are
// loopback, as in browsers (RFC 6761 6.3) and unlike in Go's resolver.
func DialLoopback(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if !loopback(host) {
		return nil, errors.New("testkit: want a loopback address, got " + addr)
	}
	if !isIP(host) {
		host = "127.0.0.1"
	}
	return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
}

// ConnectionRefused reports whether err says that nothing listens at the address.
func ConnectionRefused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout()
}

// Handlers is a Transport without a network: handlers by host, with the port where the URL has one.
type Handlers map[string]http.Handler

// RoundTrip calls the handler of the request's host. The handler's panics reach the caller.
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

// secure reports whether browsers trust a URL: https or loopback (Secure Contexts 3.1).
func secure(u *url.URL) bool { return u.Scheme == "https" || loopback(u.Hostname()) }

// loopback repeats mockidp.IsLoopback, because this package imports the standard library only. One table tests
// both.
func loopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)

func isIP(host string) bool { return net.ParseIP(host) != nil }
