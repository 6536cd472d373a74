package mockidp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Client returns a client that reaches the server by its URL. As with net/http/httptest, example.com and *.example.com
// are this server; as in browsers, localhost and *.localhost are loopback, at the port in the URL. It trusts the
// certificate of StartTLS. Each call returns a new client without a cookie jar: set Jar to stay signed in, as a
// browser does. It panics before Start.
func (s *Server) Client() *http.Client {
	s = s.listening()
	s.life.Lock()
	defer s.life.Unlock()
	if !s.life.started {
		panic("mockidp: Client before Start")
	}
	if s.life.transport == nil {
		s.life.transport = s.newTransport(s.Listener.Addr().String())
	}
	return &http.Client{Transport: s.life.transport}
}

// OutboundClient returns a client for requests to service providers, with a timeout of 30 s. It reaches localhost and
// *.localhost as Client does, whether or not the Server listens, and trusts the certificate of StartTLS if that was
// called before. Unlike Client it doesn't send *.example.com to the Server.
func (s *Server) OutboundClient() *http.Client {
	s = s.listening()
	s.life.Lock()
	defer s.life.Unlock()
	return &http.Client{Timeout: 30 * time.Second, Transport: s.newTransport("")}
}

// newTransport is called with life locked. It sends *.example.com to the address own, unless that is "".
func (s *Server) newTransport(own string) *http.Transport {
	var d net.Dialer
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			switch {
			case own != "" && isExample(host):
				addr = own
			case IsLoopback(host) && net.ParseIP(host) == nil:
				addr = net.JoinHostPort("127.0.0.1", port)
			}
			return d.DialContext(ctx, network, addr)
		},
	}
	if s.life.root != nil {
		pool := x509.NewCertPool()
		pool.AddCert(s.life.root)
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
		t.ForceAttemptHTTP2 = true
	}
	return t
}

// TLSCertificate returns the certificate of StartTLS, for another client to trust; nil over plain http.
func (s *Server) TLSCertificate() *x509.Certificate {
	s = s.listening()
	s.life.Lock()
	defer s.life.Unlock()
	return s.life.root
}

// serverCertificate doesn't use Config.Rand, as the certificate doesn't affect SAML messages.
func serverCertificate(now time.Time, baseURL string, hosts []string) (cert tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, err
	}
	// Valid by this machine's clock and by the Server's.
	from, to := now, time.Now()
	if to.Before(from) {
		from, to = to, from
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{Organization: []string{"mockidp"}},
		NotBefore:    from.Add(-time.Hour), NotAfter: to.AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
		DNSNames:    []string{"localhost", "*.localhost", "example.com", "*.example.com"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if u, err := url.Parse(baseURL); err == nil && u.Hostname() != "" && net.ParseIP(u.Hostname()) == nil {
		template.DNSNames = append(template.DNSNames, u.Hostname())
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, strings.TrimSuffix(h, "."))
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return cert, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

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
				"and for the hosts of its BaseURL (-base-url) and Hosts (-host)", http.StatusMisdirectedRequest)
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
	if host == "" {
		return false
	}
	is := func(own string) bool {
		return strings.EqualFold(strings.TrimSuffix(host, "."), strings.TrimSuffix(own, "."))
	}
	if slices.ContainsFunc(s.config.Hosts, is) {
		return true
	}
	base := s.listening().baseURL.Load()
	if base == nil {
		return false
	}
	u, err := url.Parse(*base)
	return err == nil && is(u.Hostname())
}
