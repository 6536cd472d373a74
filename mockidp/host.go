package mockidp

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// IsLoopback reports whether a host name or address, without brackets and a port, can only mean this machine:
// localhost and names below it (RFC 6761 section 6.3), 127.0.0.0/8 and ::1. It is a copy of saml.IsLoopback, because
// this package imports none of the module's; one test checks both.
func IsLoopback(host string) bool {
	return localhost.MatchString(strings.ToLower(host)) || net.ParseIP(host).IsLoopback()
}

var localhost = regexp.MustCompile(`^([a-z0-9_-]+\.)*localhost\.?$`)

// isExample reports whether a host is one that Client reaches the Server by and that can't be registered (RFC 2606).
func isExample(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "example.com" || strings.HasSuffix(host, ".example.com")
}

// ownHostsOnly refuses a request for another host than this Server before anything else of it is read. A page of an
// attacker can resolve its own name to this machine's address (DNS rebinding), and would then have the same origin.
func (s *Server) ownHostsOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ownHost((&url.URL{Host: r.Host}).Hostname()) {
			http.Error(w, "mockidp: this server accepts requests for localhost and other names of this machine, "+
				"and for the host of its BaseURL (-base-url)", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// ownHost ignores ports: a proxy may have another.
func (s *Server) ownHost(host string) bool {
	if IsLoopback(host) || isExample(host) {
		return true
	}
	base := s.baseURL.Load()
	if base == nil || host == "" {
		return false
	}
	u, err := url.Parse(*base)
	return err == nil && strings.EqualFold(strings.TrimSuffix(host, "."), strings.TrimSuffix(u.Hostname(), "."))
}
