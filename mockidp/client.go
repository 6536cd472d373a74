package mockidp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client returns a client that reaches the server by its URL; any *.example.com
// is this server, as with net/http/httptest, and localhost and *.localhost are
// loopback at the port in the URL, as in browsers. It trusts the certificate
// of StartTLS. Each call returns a new client without a cookie jar: set Jar to
// be a browser that stays signed in. It panics before Start.
func (s *Server) Client() *http.Client {
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

// OutboundClient returns a client for requests to service providers, which wait
// at most 30 s. It reaches localhost and *.localhost as Client does, whether or
// not the Server listens itself, and trusts the certificate of StartTLS if that was
// called before; unlike Client it doesn't take *.example.com for the Server.
func (s *Server) OutboundClient() *http.Client {
	s.life.Lock()
	defer s.life.Unlock()
	return &http.Client{Timeout: 30 * time.Second, Transport: s.newTransport("")}
}

// newTransport is called with life locked. own is what *.example.com leads to,
// if it isn't "".
func (s *Server) newTransport(own string) *http.Transport {
	var d net.Dialer
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			name := strings.ToLower(host)
			switch {
			case own != "" && (name == "example.com" || strings.HasSuffix(name, ".example.com")):
				addr = own
			case IsLoopback(host) && net.ParseIP(host) == nil:
				addr = net.JoinHostPort("127.0.0.1", port)
			}
			return d.DialContext(ctx, network, addr)
		},
	}
	if s.life.tls != nil {
		pool := x509.NewCertPool()
		pool.AddCert(s.life.root)
		t.TLSClientConfig = &tls.Config{RootCAs: pool}
		t.ForceAttemptHTTP2 = true
	}
	return t
}

// TLSCertificate is what StartTLS serves with, for a client of one's own to
// trust; nil over plain http.
func (s *Server) TLSCertificate() *x509.Certificate {
	s.life.Lock()
	defer s.life.Unlock()
	return s.life.root
}

// serverCertificate has nothing to do with SAML, so it doesn't draw on Config.Rand.
func serverCertificate(now time.Time, baseURL string) (tls.Certificate, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	// Valid by this machine's clock as well as by the Server's.
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
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, cert, err
}

// discardLog keeps net/http's complaints about browsers that hang up off stderr.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
