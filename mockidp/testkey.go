package mockidp

import (
	"crypto"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"slices"
)

// TestKeyFingerprint is the SHA-256 of the certificate of the published test key, testkey.pem of this package, in
// hexadecimal. Its private key is in the source: anyone can sign with it. No service provider that more than one
// person can reach may trust it.
const TestKeyFingerprint = "a97b9c92b2ebbee1e0252c9ff508840112247b69c167a9a281baf5ea06d3d6d6"

//go:embed testkey.pem
var testKeyPEM []byte

// TestKey returns the published test key and its certificate, for tools that attack a service provider that trusts it.
func TestKey() (crypto.Signer, *x509.Certificate, error) {
	certificate, rest := pem.Decode(testKeyPEM)
	private, _ := pem.Decode(rest)
	cert, err := x509.ParseCertificate(certificate.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(private.Bytes)
	if err != nil {
		return nil, nil, err
	}
	return key.(crypto.Signer), cert, nil
}

// firstKey returns the key that signs from the start.
func (s *Server) firstKey(c Config) (*signingKey, error) {
	key, cert := c.Key, c.Certificate
	if c.InsecureTestKey {
		var err error
		if key, cert, err = TestKey(); err != nil {
			return nil, internal("reading the published test key", err)
		}
	}
	return newSigningKey(s.keySource(0), key, cert)
}

// published reports whether a key is the published test key, with whatever certificate.
func (k *signingKey) published() bool {
	certificate, _ := pem.Decode(testKeyPEM)
	cert, err := x509.ParseCertificate(certificate.Bytes)
	type equaler interface{ Equal(crypto.PublicKey) bool }
	pub, ok := k.own.Public().(equaler)
	return err != nil || ok && pub.Equal(cert.PublicKey)
}

// hasTestKey reports whether the published test key is among the keys, for all apps or for one.
func (st *state) hasTestKey() bool {
	isPublished := func(k *signingKey) bool { return k.test }
	if slices.ContainsFunc(st.keys, isPublished) {
		return true
	}
	for _, ring := range st.rings {
		if slices.ContainsFunc(ring, isPublished) {
			return true
		}
	}
	return false
}

// leaveTestKey is called before the Server listens. Beyond loopback a new key replaces the published test key, also in
// the tenants that there are.
func (s *Server) leaveTestKey() error {
	if onLoopback(s.Listener.Addr()) {
		return nil
	}
	var key *signingKey
	for _, at := range append([]*Server{s}, s.Tenants()...) {
		if !at.state.Load().hasTestKey() && !at.initial.Load().hasTestKey() {
			continue
		}
		if key == nil {
			var err error
			if key, err = newSigningKey(s.keySource(0), nil, nil); err != nil {
				return err
			}
		}
		if err := at.change(func(st *state) error { st.replaceTestKey(key); return nil }); err != nil {
			return err
		}
		initial := at.initial.Load().copy()
		initial.replaceTestKey(key)
		at.initial.Store(initial)
	}
	return nil
}

func (st *state) replaceTestKey(key *signingKey) {
	replaced := func(ring []*signingKey) []*signingKey {
		out := slices.Clone(ring)
		for i, k := range out {
			if k.test {
				out[i] = key
			}
		}
		return out
	}
	for _, k := range st.keys {
		if k.test && st.signing == k.id {
			st.signing = key.id
		}
	}
	st.keys = replaced(st.keys)
	for app, ring := range st.rings {
		st.rings[app] = replaced(ring)
	}
	for i, a := range st.apps {
		if findKey(st.ring(a), a.KeyID) == nil && a.KeyID != "" {
			next := a.clone()
			next.KeyID = ""
			st.apps[i] = &next
		}
	}
}

func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// testKeyOnLoopback refuses connections from other machines while the published test key can sign. Start replaces the
// key; here it may be served by a listener of the caller's, or have been added later.
func (s *Server) testKeyOnLoopback(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addr, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if known && !onLoopback(addr) && s.state.Load().hasTestKey() {
			http.Error(w, "mockidp: the published test key signs here, which is for loopback addresses only; set "+
				"Config.Key, or -key", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// Notices returns what the pages warn of, one sentence each.
func (s *Server) Notices() (out []string) {
	if s.state.Load().hasTestKey() {
		out = append(out, fmt.Sprintf("Published test key: anyone can sign as this identity provider. Never trust the "+
			"certificate that begins with %s.", TestKeyFingerprint[:16]))
	}
	if s.config.AnyServiceProvider {
		out = append(out, "Accepts any service provider: every site that sends a request gets an answer.")
	}
	if s.config.Compose {
		out = append(out, "Composes responses: it signs anything for everyone who can open its pages, and proves nothing "+
			"about a user.")
	}
	return out
}
