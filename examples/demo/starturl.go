package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/portal/failover"
)

// startHost is the host of the company's own start URL, which leads AWS's command line to the nearest healthy Region.
const startHost = "start.example.com"

// companyStart is the company's start URL, and AWS's own addresses of the Regions, to which it leads. They are reached
// through an HTTP proxy on loopback, because no name server leads here.
type companyStart struct {
	*failover.Redirector
	proxy, served *loopback.Server
	proxyURL      string
	authority     string // the file with the certificate of the authority that vouches for all of it
}

// startCompanyStart starts what is behind the company's start URL.
func (w *world) startCompanyStart() (*companyStart, error) {
	var regions []failover.Region
	sites := map[string]http.Handler{}
	for _, s := range w.sites {
		start, err := startURL(s.Place)
		if err != nil {
			return nil, err
		}
		regions = append(regions, failover.Region{Name: s.Name, URL: start, Health: s.url + "/health"})
		for _, service := range []string{"oidc", "portal.sso", "sts"} {
			sites[service+"."+s.Name+awsDomain] = toAPI(s.port)
		}
	}
	rd, err := failover.New(failover.Config{
		Regions: regions, Interval: probeEvery, Timeout: probeTimeout, HealthyThreshold: 1, UnhealthyThreshold: 2,
		Logger: w.logger,
	})
	if err != nil {
		return nil, err
	}
	sites[startHost] = rd
	out := &companyStart{Redirector: rd, authority: filepath.Join(w.dir, "authority.pem")}
	cert, err := certificate(sites, out.authority)
	if err != nil {
		return nil, err
	}
	l, err := loopback.ListenAll(0, 0)
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	byHost := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h := sites[r.Host]; h != nil {
			h.ServeHTTP(rw, r)
			return
		}
		http.NotFound(rw, r)
	})
	out.served = loopback.Serve(tls.NewListener(l[0], cfg), byHost)
	out.proxy = loopback.Serve(l[1], tunnel(sites, out.served.Addr))
	out.proxyURL = loopback.Origin(apiHost, loopback.Port(l[1]))
	w.tasks.Go(func() { _ = rd.Run(w.ctx) })
	return out, nil
}

// environment is what a command line needs.
func (c *companyStart) environment() []string {
	return []string{"AWS_CA_BUNDLE=" + c.authority, "HTTPS_PROXY=" + c.proxyURL}
}

func (c *companyStart) stop() {
	c.proxy.Stop()
	c.served.Stop()
}

// toAPI passes requests on to the APIs of the Region whose portal has that port.
func toAPI(port int) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: loopback.Address(port)})
			r.Out.Host = r.In.Host // which is signed
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// tunnel is an HTTP proxy that connects to port 443 of known hosts, all of which are at one address (RFC 9110 section
// 9.3.6).
func tunnel[T any](hosts map[string]T, addr string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		host, port, err := net.SplitHostPort(r.Host)
		if _, known := hosts[host]; r.Method != http.MethodConnect || err != nil || port != "443" || !known {
			http.Error(rw, "demo: this proxy leads to the Regions only", http.StatusForbidden)
			return
		}
		to, err := net.Dial("tcp", addr)
		if err != nil {
			http.Error(rw, "demo: "+err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = to.Close() }()
		from, buffered, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = from.Close() }()
		if _, err := io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(to, buffered)
			_ = to.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(from, to)
	})
}

// certificate returns a certificate for the hosts. It writes that of its authority, whose key it forgets, to a file.
func certificate[T any](hosts map[string]T, file string) (tls.Certificate, error) {
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of Meridian's demo"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * 365 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: startHost}, NotBefore: authority.NotBefore,
		NotAfter: authority.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for host := range hosts {
		leaf.DNSNames = append(leaf.DNSNames, host)
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	root, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	// The certificate gets the authority's key identifier from there, and Python wants one.
	if authority, err = x509.ParseCertificate(root); err != nil {
		return tls.Certificate{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	raw, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), authorityKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, os.WriteFile(file, text, 0o600)
}
