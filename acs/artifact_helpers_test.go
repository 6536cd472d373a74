package acs_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// resolver is an ArtifactResolutionService. It gives each message once, and only to a signed request.
type resolver struct {
	w     *world
	url   string
	sp    *x509.Certificate // whose messages are resolved
	calls atomic.Int64
	// instead answers a call, if it is not nil.
	instead atomic.Pointer[http.HandlerFunc]

	mu       sync.Mutex
	messages map[string]string // the XML of a Response by artifact; guarded by mu
}

// artifactWorld is a world whose identity provider sends artifacts to usACS.
func artifactWorld(t *testing.T, change ...func(*saml.Config)) (*world, *resolver) {
	s := &resolver{messages: make(map[string]string), sp: testkit.Certificate(testkit.RSAKey("sp"), newClock().Now())}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/artifact"
	s.w = newWorld(t, append([]func(*saml.Config){func(c *saml.Config) {
		c.Key = testkit.RSAKey("sp")
		c.Certificate = s.sp
		c.ACS[0].ArtifactIndex = new(uint16(1000))
		c.IdP = artifactIdP(t, idpID, s.url)
	}}, change...)...)
	return s.w, s
}

// artifactIdP is the identity provider of a world, with an address that resolves artifacts.
func artifactIdP(t *testing.T, name, address string) *saml.IdP {
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: name, SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso?app=1"}},
		Certificates: certs(newFakeIdP(name, newClock().Now())),
		Artifacts:    []saml.ArtifactService{{Index: 3, URL: address}},
	})
	require.NoError(t, err)
	return idp
}

// reachable allows calls to this machine.
func reachable(cfg *acs.Config) { cfg.SOAP.AllowPrivateAddresses = true }

// artifactOf is an artifact of an identity provider. Each n has another handle.
func artifactOf(idp string, n int) string {
	source := saml.SourceIDOf(idp)
	handle := fmt.Appendf(nil, "%020d", n)
	return base64.StdEncoding.EncodeToString(append(append([]byte{0, 4, 0, 3}, source[:]...), handle...))
}

// send keeps a response, and returns its artifact.
func (s *resolver) send(a answer) string {
	doc, err := base64.StdEncoding.DecodeString(s.w.idp.encode(a))
	require.NoError(s.w.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	artifact := artifactOf(idpID, len(s.messages)+1)
	s.messages[artifact] = string(doc)
	return artifact
}

func (s *resolver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	if h := s.instead.Load(); h != nil {
		(*h)(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	doc := etree.NewDocument()
	if err != nil || doc.ReadFromBytes(body) != nil {
		http.Error(w, "not SOAP", http.StatusBadRequest)
		return
	}
	resolve := doc.Root().FindElement("./Body/ArtifactResolve")
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{
		Roots: []*x509.Certificate{s.sp},
	})
	ctx.Clock = dsig.NewFakeClockAt(s.w.clock.Now())
	message := ""
	if _, err := ctx.Validate(resolve); err == nil {
		s.mu.Lock()
		artifact := resolve.SelectElement("Artifact").Text()
		message = s.messages[artifact]
		s.messages[artifact] = "" // once
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	fmt.Fprintf(w, `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>`+
		`<samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a%d" Version="2.0" `+
		`InResponseTo="%s" IssueInstant="%s"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer>`+
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>%s`+
		`</samlp:ArtifactResponse></S:Body></S:Envelope>`, s.calls.Load(), resolve.SelectAttrValue("ID", ""),
		s.w.clock.Now().UTC().Format("2006-01-02T15:04:05Z"), idpID, message)
}

// handle answers all calls with h.
func (s *resolver) handle(h http.HandlerFunc) { s.instead.Store(&h) }

// query is what the identity provider adds to the ACS URL.
func query(artifact, relayState string) string {
	q := url.Values{"SAMLart": {artifact}}
	if relayState != "" {
		q.Set("RelayState", relayState)
	}
	return q.Encode()
}

// bring follows a redirect with an artifact.
func (b *browser) bring(h http.Handler, artifact, relayState string) *httptest.ResponseRecorder {
	return b.get(h, usACS+"?"+query(artifact, relayState))
}

// octetsOf changes an artifact's octets.
func octetsOf(artifact string, change func([]byte)) string {
	octets, _ := base64.StdEncoding.DecodeString(artifact)
	octets = bytes.Clone(octets)
	change(octets)
	return base64.StdEncoding.EncodeToString(octets)
}

func index(n uint16) func([]byte) { return func(b []byte) { binary.BigEndian.PutUint16(b[2:], n) } }

// idpKeyOf is a key that the identity provider does not know as ours.
func idpKeyOf(c *saml.Config) *rsa.PrivateKey { return newFakeIdP(idpID, c.Now()).key }

func inflated(t *testing.T, message string) string {
	doc, err := testkit.Inflated(message)
	require.NoError(t, err)
	return string(doc)
}

// withoutSignatures removes all signatures from a form value.
func withoutSignatures(t *testing.T, value string) string {
	raw, err := base64.StdEncoding.DecodeString(value)
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(raw))
	for _, s := range doc.FindElements("//Signature") {
		s.Parent().RemoveChild(s)
	}
	out, err := doc.WriteToString()
	require.NoError(t, err)
	return base64Of(out)
}

// lastLogReason is the Reason of the last record, which may be about a sign-in that did not start.
func (w *world) lastLogReason() string {
	lines := strings.Split(strings.TrimSpace(w.logs.String()), "\n")
	var record struct{ Reason string }
	require.NoError(w.t, json.Unmarshal([]byte(lines[len(lines)-1]), &record))
	return record.Reason
}
