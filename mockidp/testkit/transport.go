package testkit

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// Handlers is a Transport without a network: handlers by host, with the port where the URL has one. The handler of ""
// gets the requests for all other hosts.
type Handlers map[string]http.Handler

// RoundTrip calls the handler of the request's host. http.ErrAbortHandler is an error, as a closed connection is. The
// handler's other panics reach the caller.
func (h Handlers) RoundTrip(r *http.Request) (res *http.Response, err error) {
	handler := h[r.URL.Host]
	if handler == nil {
		handler = h[""]
	}
	if handler == nil {
		return nil, fmt.Errorf("testkit: no handler for the host %q", r.URL.Host)
	}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			res, err = nil, fmt.Errorf("testkit: the handler for %q closed the connection: %w", r.URL.Host, io.EOF)
		} else if p != nil {
			panic(p)
		}
	}()
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	in.Header = r.Header.Clone()
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, in)
	res = rec.Result()
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
