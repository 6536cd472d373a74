package acs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
	"github.com/meridian-saml/meridian/saml"
)

// SOAPConfig describes the calls to identity providers that don't go through the browser (Bindings 3.2). They are HTTP
// POSTs over TLS 1.2 or later to the addresses in metadata. No proxy is used, and no redirect followed.
type SOAPConfig struct {
	// Timeout bounds a call, from the resolution of the name to the last byte of the answer. Zero: 10 s. At most 1 min.
	Timeout time.Duration
	// Certificate is for identity providers that ask for a client certificate. The messages are signed with or without
	// it. Nil: none.
	Certificate *tls.Certificate
	// RootCAs verify the identity providers' certificates. Nil: those of the system.
	RootCAs *x509.CertPool
	// AllowPrivateAddresses allows connections to addresses that are not public ([saml.IsPublicAddress]), for an identity
	// provider in the own network. Without it they are refused when the name is resolved, so that metadata can't lead into
	// that network. For tests, the hosts of [saml.IsLoopback] are allowed if all ACS URLs have such hosts.
	AllowPrivateAddresses bool
}

const (
	maxSOAPTimeout = time.Minute
	// maxCalls bounds the calls to one identity provider at the same time. So one that doesn't answer holds up few
	// requests, and none at other identity providers. A single client can have a third of it.
	maxCalls = 64
	// maxCallsOfAll bounds the calls to all identity providers at the same time, because each holds a connection. A single
	// client can have a third of it, too.
	maxCallsOfAll = 16 * maxCalls

	soapType   = "text/xml" // SOAP 1.1, section 6
	soapAction = `"http://www.oasis-open.org/committees/security"`
	ruleSOAP   = "SOAP (Bindings 3.2.3)"
)

func (s *SOAPConfig) setDefaults() error {
	if s.Timeout < 0 || s.Timeout > maxSOAPTimeout {
		return badValue("Config.SOAP.Timeout", "0 to "+maxSOAPTimeout.String(), s.Timeout.String())
	}
	s.Timeout = cmp.Or(s.Timeout, 10*time.Second)
	return nil
}

// soapClient calls identity providers.
type soapClient struct {
	sp      *saml.ServiceProvider
	http    *http.Client
	timeout time.Duration
	maxBody int64

	all *budget // the calls of all identity providers

	mu    sync.Mutex
	calls map[string]*budget // of each identity provider with calls, by entity ID; guarded by mu, with what is in it
}

// newSOAPClient returns the client of a Config that has its defaults.
func newSOAPClient(cfg *Config) *soapClient {
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.SOAP.RootCAs}
	if cfg.SOAP.Certificate != nil {
		secure.Certificates = []tls.Certificate{*cfg.SOAP.Certificate}
	}
	return &soapClient{
		sp: cfg.SP, timeout: cfg.SOAP.Timeout, maxBody: cfg.MaxBody, calls: make(map[string]*budget),
		all: newCalls(maxCallsOfAll),
		http: &http.Client{
			Transport: &http.Transport{
				DialContext: newSOAPDialer(cfg).dial, TLSClientConfig: secure, MaxResponseHeaderBytes: 64 << 10,
				// An idle connection can end while a POST is on its way, and that can't be sent again.
				DisableKeepAlives: true, DisableCompression: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// soapCall is one of the calls that an identity provider may have at the same time.
type soapCall struct {
	client *soapClient
	idp    string // entity ID
	place  *holding
	ofAll  *holding
}

func newCalls(total int) *budget { return &budget{total: total, least: 1, byNetwork: tally{}} }

// begin returns a call to an identity provider for a client's address, or an error with ReasonBusy. The caller must
// release it. Begin a call before what must not be lost if there is no room for it, such as a record.
func (s *soapClient) begin(idp, client string) (*soapCall, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls, ok := s.calls[idp]
	if !ok {
		calls = newCalls(maxCalls)
	}
	place, ofAll := calls.hold(client), s.all.hold(client)
	if !place.add(1) {
		return nil, newError(ReasonBusy, ruleSOAP, "too many calls at the same time to "+storeerr.Quote(idp))
	}
	if !ofAll.add(1) {
		place.release()
		return nil, newError(ReasonBusy, ruleSOAP, "too many calls at the same time to all identity providers")
	}
	s.calls[idp] = calls
	return &soapCall{client: s, idp: idp, place: place, ofAll: ofAll}, nil
}

// release makes room for another call.
func (c *soapCall) release() {
	c.client.mu.Lock()
	defer c.client.mu.Unlock()
	c.ofAll.release()
	c.place.release()
	if c.place.of.held == 0 {
		delete(c.client.calls, c.idp)
	}
}

// post sends an envelope to an address in the identity provider's metadata, and returns the envelope of the answer,
// which is not verified. Its memory is counted in held. The error has ReasonSOAP or ReasonBusy.
func (c *soapCall) post(ctx context.Context, address string, envelope []byte, held *holding) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.client.timeout)
	defer cancel()
	answer, err := c.exchange(ctx, address, envelope, held)
	if err == nil {
		return answer, nil
	}
	var acsErr *Error
	var urlErr *url.Error
	switch {
	case errors.Is(err, errNoRoom):
		return nil, newError(ReasonBusy, "Config.MaxBodies", "no room for the answer of "+storeerr.Quote(c.idp))
	case errors.As(err, new(*http.MaxBytesError)):
		acsErr = &Error{Err: errors.New("the answer is longer than Config.MaxBody")}
	case errors.As(err, &acsErr):
	case errors.As(err, &urlErr): // its text has the query
		acsErr = &Error{Err: urlErr.Err}
	default:
		acsErr = &Error{Err: err}
	}
	withoutQuery, _, _ := strings.Cut(address, "?") // which may be secret
	acsErr.Reason, acsErr.Rule, acsErr.Detail = ReasonSOAP, ruleSOAP, "call to "+storeerr.Quote(withoutQuery)
	return nil, acsErr
}

func (c *soapCall) exchange(ctx context.Context, address string, envelope []byte, held *holding) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", soapType+"; charset=utf-8")
	req.Header.Set("Accept", soapType)
	req.Header.Set("SOAPAction", soapAction)
	req.Header.Set("Cache-Control", "no-cache, no-store") // Bindings 3.2.3.2
	req.Header.Set("Pragma", "no-cache")
	resp, err := c.client.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	refused := &Error{Want: "status 200, " + soapType, Got: "status " + strconv.Itoa(resp.StatusCode)}
	// A Fault has the status 500 (Bindings 3.2.3.3).
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusInternalServerError {
		return nil, refused
	}
	contentType := resp.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(contentType); err != nil || kind != soapType {
		refused.Got += ", " + contentType
		return nil, refused
	}
	limit := c.client.maxBody
	answer, err := readHeld(http.MaxBytesReader(nil, resp.Body, limit), resp.ContentLength, limit, held)
	if err == nil && resp.StatusCode != http.StatusOK {
		refused.Err = c.client.sp.SOAPFault(answer)
		return nil, refused
	}
	return answer, err
}
