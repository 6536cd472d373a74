package main

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The headers in which a proxy describes the request that it asks about. It must replace what the client sent.
const (
	forwardedMethod = "X-Forwarded-Method"
	forwardedHost   = "X-Forwarded-Host"
	forwardedURI    = "X-Forwarded-Uri"
	clientHeader    = "X-Real-Ip"
	secretHeader    = "X-Proxy-Secret"
)

// original returns the request that a proxy asks about: its method, host and target, with the headers that the browser
// sent. The body stays at the proxy.
func original(r *http.Request) (*http.Request, error) {
	var values [3]string
	for i, name := range [...]string{forwardedMethod, forwardedHost, forwardedURI} {
		all := r.Header.Values(name)
		if len(all) != 1 || all[0] == "" {
			return nil, fmt.Errorf("want one value of %s, got %d: the proxy must set it", name, len(all))
		}
		values[i] = all[0]
	}
	method, host, target := values[0], values[1], values[2]
	path, plain := plainPath(target)
	if !plain {
		return nil, fmt.Errorf("the path of %.200q can be read in several ways", target)
	}
	out := r.Clone(r.Context())
	raw, query, _ := strings.Cut(target, "?")
	out.Method, out.Host, out.RequestURI = method, host, target
	out.URL = &url.URL{Path: path, RawPath: raw, RawQuery: query}
	out.Body, out.ContentLength = http.NoBody, 0
	for _, name := range [...]string{forwardedMethod, forwardedHost, forwardedURI, secretHeader} {
		out.Header.Del(name)
	}
	return out, nil
}

// onlyFromProxy lets requests with the proxy's secret through. Without a secret all are let through: then the program
// listens where only this machine can connect.
func onlyFromProxy(secret string, next http.Handler) http.Handler {
	if secret == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all := r.Header.Values(secretHeader)
		if len(all) != 1 || subtle.ConstantTimeCompare([]byte(all[0]), []byte(secret)) != 1 {
			http.Error(w, "This server is for a proxy.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkSecret checks the contents of -proxy-secret.
func checkSecret(secret string) error {
	if len(secret) < 32 || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("want at least 32 printable ASCII characters without spaces, such as of openssl rand -hex 32")
	}
	return nil
}
