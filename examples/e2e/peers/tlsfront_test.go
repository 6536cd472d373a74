package peers_test

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tlsFront is an https server before a program that speaks http, as in production: only there a browser sends an
// identity provider its cookies with a form of ours (SameSite=None).
type tlsFront struct {
	*httptest.Server
	base string // https://idp.localhost and the port
}

// newTLSFront reserves the address.
func newTLSFront(t *testing.T) tlsFront {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	t.Cleanup(s.Close)
	address := s.Listener.Addr().String()
	return tlsFront{s, "https://idp.localhost" + address[strings.LastIndexByte(address, ':'):]}
}

// start serves the program, and the files of a folder at /static/. An empty folder is none.
func (f tlsFront) start(t *testing.T, program, static string) {
	t.Helper()
	to, err := url.Parse(program)
	require.NoError(t, err)
	mux := http.NewServeMux()
	if static != "" {
		mux.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir(static))))
	}
	mux.Handle("/", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		ErrorLog: log.New(io.Discard, "", 0), // a browser drops requests
	})
	f.serve(mux)
}

// serve serves a handler.
func (f tlsFront) serve(h http.Handler) {
	key, cert := peerTLS()
	f.Config.Handler = h
	if f.TLS == nil {
		f.TLS = &tls.Config{}
	}
	f.TLS.Certificates = []tls.Certificate{{PrivateKey: key, Certificate: [][]byte{cert.Raw}}}
	f.StartTLS()
}
