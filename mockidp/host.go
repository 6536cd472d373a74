package mockidp

import (
	"net/http"
	"net/url"
	"strings"
)

// ownHostsOnly serves requests whose Host is this Server's, and looks at nothing
// else before: a page elsewhere can give its own name this machine's address (DNS
// rebinding), and is then of one origin with what is served here.
func (s *Server) ownHostsOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ownHost(hostOf(r)) {
			http.Error(w, "mockidp: this server is for requests to a name of this machine, such as localhost, or to the host of its BaseURL (-base-url)", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostOf is the Host without its port and brackets.
func hostOf(r *http.Request) string {
	return (&url.URL{Host: r.Host}).Hostname()
}

// ownHost says whether a name is this Server's: the one of its address, a name
// of this machine, or one that Client reaches it by and that can't be registered (RFC
// 2606). Ports don't count: a proxy may have another.
func (s *Server) ownHost(host string) bool {
	if IsLoopback(host) {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "example.com" || strings.HasSuffix(host, ".example.com") {
		return true
	}
	base := s.baseURL.Load()
	if base == nil {
		return false
	}
	u, err := url.Parse(*base)
	return err == nil && host != "" && strings.EqualFold(host, strings.TrimSuffix(u.Hostname(), "."))
}
