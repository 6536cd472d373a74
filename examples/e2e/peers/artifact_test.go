package peers_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// TestArtifacts signs in by artifact with identity providers of other vendors. Each sends the browser to an ACS URL
// with an artifact, and the Region gets the response from it by SOAP.
func TestArtifacts(t *testing.T) {
	t.Run("SimpleSAMLphp", func(t *testing.T) {
		php := requireSimpleSAMLphp(t)
		checkArtifacts(t, nil, func(spMetadata [][]byte) peer {
			return startSimpleSAMLphp(t, php, signBoth, "", spMetadata, "PEER_ARTIFACT=1")
		})
	})
	t.Run("SimpleSAMLphp that asks for a client certificate", func(t *testing.T) {
		php := requireSimpleSAMLphp(t)
		own, clients := clientCertificate(t)
		asked := new(atomic.Int32)
		start := func(spMetadata [][]byte) peer {
			return startSimpleSAMLphpForClients(t, php, spMetadata, clients, asked)
		}
		checkArtifacts(t, own, start)
		require.EqualValues(t, 4, asked.Load())

		without := deployArtifacts(t, nil, false)
		p := start([][]byte{without.metadata(t)})
		without.trust(t, p.metadata)
		b := newPeerBrowser(t)
		artifact := b.carry(without.request(b, homeRegion, "/login-by-artifact")).message(t, "SAMLart")
		got := without.deliver(b, artifact)
		require.False(t, got.verdict.Accepted)
		require.Equal(t, string(acs.ReasonSOAP), got.verdict.Reason)
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.EqualValues(t, 4, asked.Load())
	})
	t.Run("LemonLDAP::NG", func(t *testing.T) {
		requireLemonLDAP(t)
		checkArtifacts(t, nil, func(spMetadata [][]byte) peer { return startLemonLDAP(t, spMetadata) })
	})
}

// checkArtifacts signs in to both Regions, with a request that names the ACS by URL and by index.
// The calls present a client certificate if there is one. They are signed in any case.
func checkArtifacts(t *testing.T, own *tls.Certificate, start func(spMetadata [][]byte) peer) {
	byURL := deployArtifacts(t, own, false)
	byIndex := deployArtifacts(t, own, true)
	p := start([][]byte{byURL.metadata(t), byIndex.metadata(t)})
	for name, d := range map[string]*deployment{"by URL": byURL, "by index": byIndex} {
		d.trust(t, p.metadata)
		for _, region := range []string{homeRegion, awayRegion} {
			t.Run(region+" "+name, func(t *testing.T) { checkArtifact(t, p, d, region) })
		}
	}
}

// clientCertificate returns a certificate for TLS, and the authorities that a server accepts: it alone.
func clientCertificate(t *testing.T) (*tls.Certificate, *x509.CertPool) {
	t.Helper()
	key := testkit.RSAKey("tls client")
	cert := testkit.Certificate(key, time.Now())
	clients := x509.NewCertPool()
	clients.AddCert(cert)
	return &tls.Certificate{PrivateKey: key, Certificate: [][]byte{cert.Raw}}, clients
}

// startSimpleSAMLphpForClients starts one behind a front that asks for a client certificate where artifacts are
// resolved, and counts those calls that have one.
func startSimpleSAMLphpForClients(
	t *testing.T, php string, spMetadata [][]byte, clients *x509.CertPool, asked *atomic.Int32,
) peer {
	t.Helper()
	front := newTLSFront(t)
	front.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients}
	p := startSimpleSAMLphp(t, php, signBoth, "", spMetadata, "PEER_ARTIFACT=1", "PEER_BASE="+front.base+"/")
	at, _, found := strings.Cut(p.unsolicited("", ""), "/saml2/")
	require.True(t, found)
	front.start(t, at, "")
	program := front.Config.Handler
	front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "ArtifactResolutionService") {
			if len(r.TLS.PeerCertificates) == 0 {
				http.Error(w, "a client certificate is required", http.StatusForbidden)
				return
			}
			asked.Add(1)
		}
		program.ServeHTTP(w, r)
	})
	return p
}

// peerRoots has the certificate of the peers' TLS fronts.
func peerRoots() *x509.CertPool {
	_, cert := peerTLS()
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return roots
}

func deployArtifacts(t *testing.T, own *tls.Certificate, byIndex bool) *deployment {
	t.Helper()
	return deploy(t, func(sp *saml.Config, r *acs.Config) {
		sp.ACSByIndex, r.SOAP.RootCAs, r.SOAP.Certificate = byIndex, peerRoots(), own
		for i, index := range []uint16{8, 4} {
			sp.ACS[i].ArtifactIndex = &index
		}
	})
}

// checkArtifact signs in. In another browser the artifact is refused, and not resolved. It is used once.
func checkArtifact(t *testing.T, p peer, d *deployment, region string) {
	b := newPeerBrowser(t)
	page := b.carry(d.request(b, region, "/login-by-artifact"))
	artifact := page.message(t, "SAMLart")
	require.Contains(t, artifact.to, d.acs(region))
	refused(t, d.deliver(newPeerBrowser(t), artifact), acs.ReasonRequest)

	got := d.deliver(b, artifact)
	require.True(t, got.verdict.Accepted, "%+v", got.verdict)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, d.acs(region), got.verdict.ACS)
	assert.Equal(t, returnTo, got.login.ReturnTo)
	checkUser(t, p, d, got.login.Assertion)

	refused(t, d.deliver(b, artifact), acs.ReasonRequest)
}
