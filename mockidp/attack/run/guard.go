package run

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// guardedTransport connects to this machine and to the hosts that are allowed by
// name. It checks the address of each connection, so the check covers redirects,
// and names whose address changes.
func guardedTransport(t Target) *http.Transport {
	return &http.Transport{
		Proxy:               nil, // a proxy would connect instead of this transport
		DialContext:         guardedDial(t.AllowHosts),
		TLSClientConfig:     &tls.Config{RootCAs: t.RootCAs},
		TLSHandshakeTimeout: t.Timeout,
		// On a connection that is kept, servers that write the head and the body
		// apart make every answer wait for a delayed acknowledgement.
		DisableKeepAlives: true,
	}
}

func guardedDial(allowed []string) func(context.Context, string, string) (net.Conn, error) {
	local := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil || !isLoopback(host) {
			detail := fmt.Sprintf("%q is not on this machine, and is not an allowed host", address)
			return &attack.Error{Rule: "target", Detail: detail}
		}
		return nil
	}}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, host) }) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
		}
		if !isLoopback(host) || net.ParseIP(host) != nil {
			return local.DialContext(ctx, network, address)
		}
		// Browsers resolve these names to loopback themselves (RFC 6761, 6.3).
		conn, err := local.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			if six, err6 := local.DialContext(ctx, network, net.JoinHostPort("::1", port)); err6 == nil {
				return six, nil
			}
		}
		return conn, err
	}
}

// isLoopback is a copy of mockidp.IsLoopback, because this package doesn't import
// the mock. testdata/loopback.txt tests both.
func isLoopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)
