package federation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

const (
	maxDocument  = 64 << 20 // bytes of a URL's document, after decompression
	maxEntity    = 1 << 20  // of a query; it is parsed before it is verified, at up to 64 times its size
	maxETag      = 1 << 10  // kept with each document
	maxRedirects = 5
)

// errNotModified is the result for an unchanged document: the ETag still names it.
var errNotModified = errors.New("not modified")

// newClient returns the HTTP client for a source. It uses no proxy, and checks the
// address of each connection.
func newClient(s Source, timeout time.Duration) *http.Client {
	dialer := &net.Dialer{Timeout: timeout}
	if !s.AllowPrivateAddresses {
		dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return checkAddress(address)
		}
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout,
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			if next.URL.Scheme != via[0].URL.Scheme || next.URL.User != nil {
				return errors.New("a redirect to another scheme")
			}
			if s.insecure(next.URL) {
				return errors.New("a redirect to plain http without Keys")
			}
			next.Header.Del("Referer") // its query may hold a secret
			return nil
		},
	}
}

// checkAddress refuses addresses that are not public. An attacker who chooses a name
// must not reach internal services.
func checkAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); !saml.IsPublicAddress(ip) {
		return fmt.Errorf("address %s is not public, and AllowPrivateAddresses is not set", ip)
	}
	return nil
}

// fetch fetches a document. If etag is not empty, the request is conditional, and
// the error is errNotModified if the document has not changed. For status 404 it is
// errNone.
func (s *source) fetch(ctx context.Context, address, etag string, limit int64) (raw []byte, newETag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	fail := func(err error) ([]byte, string, error) {
		return nil, "", &Error{Reason: ReasonFetch, Rule: s.Name, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fail(err)
	}
	req.Header.Set("Accept", "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fail(withoutAddress(err))
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && etag != "":
		return nil, etag, errNotModified
	case resp.StatusCode == http.StatusNotFound:
		return nil, "", errNone
	case resp.StatusCode != http.StatusOK:
		return fail(fmt.Errorf("status %d", resp.StatusCode))
	}
	raw, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return fail(withoutAddress(err))
	}
	if int64(len(raw)) > limit {
		return fail(fmt.Errorf("the document has more than %d bytes", limit))
	}
	if newETag = resp.Header.Get("ETag"); len(newETag) > maxETag {
		newETag = ""
	}
	return raw, newETag, nil
}

// errNone is the error for a document that the source doesn't have.
var errNone = errors.New("not found")

// withoutAddress removes the address from an error of net/http, because its query
// may contain a secret.
func withoutAddress(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
