package acs

import (
	"context"

	"github.com/meridian-saml/meridian/saml"
)

// CookiePrefix begins the name of a request cookie.
const CookiePrefix = cookiePrefix

// Allow returns the place that a user may be sent to.
func Allow(listed []string, raw string) (string, error) {
	o, err := newOrigins("listed", listed)
	if err != nil {
		return "", err
	}
	return o.allow(raw), nil
}

// RequestKey and AssertionKey compute the keys of a store.
var (
	RequestKey   = requestKey
	AssertionKey = assertionKey
)

// Hashed is the encoding below both.
var Hashed = hashed

// Unescape decodes a form's names and values.
var Unescape = unescape

// Len returns how many records a store holds.
func Len(m *MemoryStore) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.live)
}

// PostSOAP makes one call to an identity provider by SOAP, and holds its place until release is called.
func (g *Region) PostSOAP(
	ctx context.Context, idp, client, address, envelope string,
) (answer string, release func(), err error) {
	c := g.consumers[0]
	call, err := c.soap.begin(idp, client)
	if err != nil {
		return "", nil, err
	}
	held := c.bodies.hold(client)
	defer held.release()
	raw, err := call.post(ctx, address, []byte(envelope), held)
	return string(raw), call.release, err
}

// BeginSOAP holds the place of a call to an identity provider until release is called.
func (g *Region) BeginSOAP(idp, client string) (release func(), err error) {
	call, err := g.consumers[0].soap.begin(idp, client)
	if err != nil {
		return nil, err
	}
	return call.release, nil
}

// SOAPCalls returns how many identity providers have calls.
func (g *Region) SOAPCalls() int {
	s := g.consumers[0].soap
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// CheckSOAPAddress checks an address that a host's name was resolved to.
func CheckSOAPAddress(sp *saml.ServiceProvider, private bool, host, resolved string) error {
	return newSOAPDialer(&Config{SP: sp, SOAP: SOAPConfig{AllowPrivateAddresses: private}}).check(host, resolved)
}
