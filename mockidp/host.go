package mockidp

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// A page elsewhere can give its own name this machine's address (DNS rebinding)
// and is then of one origin with what is served here. So both handlers, the
// public one and Control's, look at the Host before anything else.

// onlyHosts serves requests whose Host has a name that is allowed.
func onlyHosts(allowed func(host string) bool, refusal string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed(hostOf(r)) {
			http.Error(w, "mockidp: "+refusal, http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostOf is the Host without its port.
func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// ownHost says whether a name is this Server's: the one of its address, a name
// of this machine, or one that Client reaches it by and that can't be registered (RFC
// 2606). Ports don't count: a proxy may have another.
func (s *Server) ownHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if Loopback(host) || host == "example.com" || strings.HasSuffix(host, ".example.com") {
		return true
	}
	base := s.baseURL.Load()
	if base == nil {
		return false
	}
	u, err := url.Parse(*base)
	return err == nil && host != "" && strings.EqualFold(strings.Trim(host, "[]"), strings.TrimSuffix(u.Hostname(), "."))
}
