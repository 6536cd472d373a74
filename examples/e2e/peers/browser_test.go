package peers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"html"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// peerBrowser simulates a browser during a sign-in, one step at a time. It
// keeps cookies, follows redirects within a host, and stops before it sends a
// message to another party.
type peerBrowser struct {
	t      *testing.T
	client *http.Client
}

func newPeerBrowser(t *testing.T) *peerBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	_, cert := peerTLS()
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		// Browsers know that *.localhost is this machine; Go's resolver doesn't.
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &peerBrowser{t: t, client: &http.Client{
		Jar: jar, Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if to.URL.Host != via[0].URL.Host {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// peerMessage is a message that a browser is about to send: the query of a
// redirect, or a form.
type peerMessage struct {
	method string
	to     string // for a GET, with the query as it was written
	fields url.Values
}

// peerPage is the page at which a browser stopped.
type peerPage struct {
	status   int
	location string // of a redirect to another host
	body     string
}

// open visits an address.
func (b *peerBrowser) open(address string) peerPage {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(b.t, err)
	return b.do(r)
}

// carry sends a message.
func (b *peerBrowser) carry(m peerMessage, cookies ...*http.Cookie) peerPage {
	b.t.Helper()
	if m.method == http.MethodGet {
		return b.open(m.to)
	}
	r, err := http.NewRequest(http.MethodPost, m.to, strings.NewReader(m.fields.Encode()))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return b.do(r)
}

func (b *peerBrowser) do(r *http.Request) peerPage {
	b.t.Helper()
	resp, err := b.client.Do(r)
	require.NoError(b.t, err)
	return peerPage{resp.StatusCode, resp.Header.Get("Location"), peerBody(b.t, resp.Body)}
}

// cookies returns the cookies that the browser would send to an address, without that of a session.
func (b *peerBrowser) cookies(address string) []*http.Cookie {
	b.t.Helper()
	u, err := url.Parse(address)
	require.NoError(b.t, err)
	return slices.DeleteFunc(b.client.Jar.Cookies(u), func(c *http.Cookie) bool { return c.Name == sessionCookie })
}

var (
	formTag  = regexp.MustCompile(`(?is)<form\b[^>]*>`)
	inputTag = regexp.MustCompile(`(?is)<input\b[^>]*>`)
	tagAttr  = regexp.MustCompile(`(?is)\b([a-z-]+)\s*=\s*"([^"]*)"`)
)

// message finds the message with that field on a page, in its redirect or in
// its form.
func (p peerPage) message(t *testing.T, field string) peerMessage {
	t.Helper()
	m, ok := p.find(t, field)
	require.True(t, ok, "no %s on this page (%d, %q):\n%s", field, p.status, p.location, p.body)
	return m
}

func (p peerPage) find(t *testing.T, field string) (peerMessage, bool) {
	t.Helper()
	if p.location != "" {
		u, err := url.Parse(p.location)
		require.NoError(t, err)
		return peerMessage{http.MethodGet, p.location, u.Query()}, u.Query().Has(field)
	}
	m := peerMessage{method: http.MethodPost, fields: url.Values{}}
	if form := formTag.FindString(p.body); form != "" {
		m.to = tagAttributes(form)["action"]
	}
	for _, input := range inputTag.FindAllString(p.body, -1) {
		if a := tagAttributes(input); a["name"] != "" {
			m.fields.Add(a["name"], a["value"])
		}
	}
	return m, m.fields.Has(field)
}

func tagAttributes(tag string) map[string]string {
	all := make(map[string]string)
	for _, m := range tagAttr.FindAllStringSubmatch(tag, -1) {
		all[strings.ToLower(m[1])] = html.UnescapeString(m[2])
	}
	return all
}

// request decodes the AuthnRequest that a message carries.
func (m peerMessage) request(t *testing.T) *etree.Element {
	t.Helper()
	decode := base64.StdEncoding.DecodeString
	if m.method == http.MethodGet {
		decode = testkit.Inflated
	}
	raw, err := decode(m.fields.Get("SAMLRequest"))
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(raw))
	return doc.Root()
}

// response decodes the response that a message carries.
func (m peerMessage) response(t *testing.T) string {
	t.Helper()
	xml, err := base64.StdEncoding.DecodeString(m.fields.Get("SAMLResponse"))
	require.NoError(t, err)
	return string(xml)
}

// with is the message with another response in it.
func (m peerMessage) with(xml string) peerMessage {
	return m.set("SAMLResponse", base64.StdEncoding.EncodeToString([]byte(xml)))
}

// set is the message with another value in one field.
func (m peerMessage) set(name, value string) peerMessage {
	fields := url.Values{}
	for k, v := range m.fields {
		fields[k] = v
	}
	fields.Set(name, value)
	m.fields = fields
	if to, query, ok := strings.Cut(m.to, "?"); ok && m.method == http.MethodGet && query != "" {
		m.to = to + "?" + fields.Encode()
	}
	return m
}

// withRequest is the message with another request in it.
func (m peerMessage) withRequest(t *testing.T, request *etree.Element) peerMessage {
	t.Helper()
	doc := etree.NewDocument()
	doc.SetRoot(request.Copy())
	raw, err := doc.WriteToBytes()
	require.NoError(t, err)
	if m.method == http.MethodGet {
		return m.set("SAMLRequest", testkit.Deflated(raw))
	}
	return m.set("SAMLRequest", base64.StdEncoding.EncodeToString(raw))
}
