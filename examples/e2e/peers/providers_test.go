package peers_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"html"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/discovery"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/saml"
)

// TestTwoProvidersChosenInChromium signs in at SimpleSAMLphp and at pysaml2, which are behind one service provider. Its
// user chooses on the discovery page in Chromium.
func TestTwoProvidersChosenInChromium(t *testing.T) {
	b := startChromium(t)
	p := startProviders(t)

	b.open(p.base + "/login?return_to=/reports")
	b.reads("All organizations (4)")
	b.follow("SimpleSAMLphp")
	b.reads(p.welcome("SimpleSAMLphp", "/reports"))

	b.open(p.base + "/login?return_to=/wiki")
	b.reads("Last used\nSimpleSAMLphp")
	b.click(`#found ~ ul ` + p.choice("pysaml2"))
	b.reads(p.welcome("pysaml2", "/wiki"))

	b.open(p.base + "/login?return_to=/again")
	b.reads("Last used\npysaml2")
	b.click(`section[aria-labelledby="last"] a.choice`)
	b.reads(p.welcome("pysaml2", "/again"))
	for _, v := range p.verdictsSince(0) {
		require.True(t, v.Accepted, "%+v", v)
	}

	// A member of the federation sends the request that it gets on to another one (I01). SimpleSAMLphp answers.
	before := len(p.verdictsSince(0))
	b.open(p.base + "/login")
	b.click(`#found ~ ul ` + p.choice("mixes up SimpleSAMLphp"))
	b.reads("Sign-in did not work")
	all := p.verdictsSince(before)
	require.Len(t, all, 1)
	b.reads(all[0].Reference)
	require.False(t, all[0].Accepted)
	require.EqualValues(t, saml.ReasonIdP, all[0].Reason, "%+v", all[0])
	require.Equal(t, "a request made to "+p.id["SimpleSAMLphp"], all[0].Want)

	// pysaml2 reads in the request, which is signed, that it was made to another one.
	b.open(p.base + "/login")
	b.click(`#found ~ ul ` + p.choice("mixes up pysaml2"))
	b.reads("Not destined for me!")
	require.Len(t, p.verdictsSince(before), 1)
}

// providers are two identity providers of other vendors, the federation that they are in, and the service provider. The
// other two members are an attacker's: each sends the requests that it gets on to one of the former.
type providers struct {
	base string            // of the service provider
	id   map[string]string // entity IDs, by display name

	mu       sync.Mutex
	verdicts []acs.Verdict // guarded by mu
}

func startProviders(t *testing.T) *providers {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	p := &providers{base: "https://" + homeRegion + ".localhost:" + port, id: map[string]string{}}
	config := saml.Config{
		EntityID: p.base + "/saml", ACS: []saml.Endpoint{{URL: p.base + "/acs", Region: homeRegion}},
		Key: peerSPKey().key, Certificate: peerSPKey().cert, SignRequests: true,
		DiscoveryResponses: []string{p.base + "/login/idp"},
	}
	registered := config
	registered.IdP, err = saml.NewIdP(saml.IdPConfig{
		EntityID: "urn:unused", Certificates: []*x509.Certificate{peerIdPKey().cert},
	})
	require.NoError(t, err)
	sp, err := saml.New(registered)
	require.NoError(t, err)
	metadata, err := sp.Metadata() // that of the service provider does not depend on its identity providers
	require.NoError(t, err)

	var members [][]byte
	for name, honest := range map[string][]byte{
		"SimpleSAMLphp": startSimpleSAMLphp(t, requireSimpleSAMLphp(t), signBoth, "", [][]byte{metadata}).metadata,
		"pysaml2":       requirePysaml2(t).start(t, signBoth, [][]byte{metadata}).metadata,
	} {
		idp, err := saml.ParseIdPMetadata(honest)
		require.NoError(t, err)
		evil := "mixes up " + name
		p.id[name], p.id[evil] = idp.EntityID(), "https://evil.example/"+name
		members = append(members, withoutProlog(t, honest), startMixUp(t, idp, p.id[evil], evil))
	}
	signer := newPublisher(t)
	p.serve(t, server, config, signer.fetch(t, signer.aggregate(t, members)))
	return p
}

// startMixUp returns the metadata of an identity provider that sends each request on to another one.
func startMixUp(t *testing.T, to *saml.IdP, entityID, name string) []byte {
	t.Helper()
	sso := ""
	for _, s := range to.SSOServices() {
		if s.Binding == saml.HTTPRedirect {
			sso = s.URL
		}
	}
	require.NotEmpty(t, sso)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, sso+"?"+r.URL.RawQuery, http.StatusFound)
	}))
	t.Cleanup(server.Close)
	return fmt.Appendf(nil, `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID=%q>`+
		`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`+
		`<Extensions><UIInfo xmlns="urn:oasis:names:tc:SAML:metadata:ui"><DisplayName xml:lang="en">%s</DisplayName></UIInfo>`+
		`</Extensions><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>`+
		`<X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`+
		`<SingleSignOnService Binding=%q Location="%s/sso"/></IDPSSODescriptor></EntityDescriptor>`,
		entityID, name, base64.StdEncoding.EncodeToString(peerOtherKey().cert.Raw), saml.HTTPRedirect, server.URL)
}

// serve starts the service provider.
func (p *providers) serve(t *testing.T, server *httptest.Server, config saml.Config, known *federation.Federation) {
	t.Helper()
	config.IdPs = known
	sp, err := saml.New(config)
	require.NoError(t, err)
	page, err := discovery.New(discovery.Config{
		Providers: known, Returns: map[string][]string{sp.EntityID(): config.DiscoveryResponses},
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Region: homeRegion, Store: struct{ acs.Store }{acs.NewMemoryStore(acs.MemoryConfig{})}, // as in deploy
		DiscoveryURL: "/choose", DiscoveredPath: "/login/idp", FindIdP: known.Find,
		OnLogin: func(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprintf(w, "<!DOCTYPE html><title>in</title>%s", html.EscapeString(
				fmt.Sprintf("%s of %s goes to %s", l.Assertion.NameID().Value, l.Assertion.Issuer(), l.ReturnTo)))
		},
		OnVerdict: func(_ context.Context, v acs.Verdict) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.verdicts = append(p.verdicts, v)
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/choose", page)
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	key, cert := peerTLS()
	server.Config.Handler = mux
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{PrivateKey: key, Certificate: [][]byte{cert.Raw}}}}
	server.StartTLS()
}

// verdictsSince are all verdicts but the first n.
func (p *providers) verdictsSince(n int) []acs.Verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]acs.Verdict(nil), p.verdicts[n:]...)
}

// welcome is the page after a sign-in.
func (p *providers) welcome(provider, returnTo string) string {
	return fmt.Sprintf("%s of %s goes to %s", peerUser, p.id[provider], returnTo)
}

// choice selects the link of an identity provider on the discovery page.
func (p *providers) choice(name string) string {
	return `a.choice[href*="idp=` + url.QueryEscape(p.id[name]) + `"]`
}
