package peers_test

import (
	"crypto/x509"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// TestArtifacts signs in by artifact with identity providers of other vendors. Each sends the browser to an ACS URL
// with an artifact, and the Region gets the response from it by SOAP.
func TestArtifacts(t *testing.T) {
	t.Run("SimpleSAMLphp", func(t *testing.T) {
		php := requireSimpleSAMLphp(t)
		checkArtifacts(t, func(spMetadata [][]byte) peer {
			return startSimpleSAMLphp(t, php, signBoth, "", spMetadata, "PEER_ARTIFACT=1")
		})
	})
	t.Run("LemonLDAP::NG", func(t *testing.T) {
		requireLemonLDAP(t)
		checkArtifacts(t, func(spMetadata [][]byte) peer { return startLemonLDAP(t, spMetadata) })
	})
}

// checkArtifacts signs in to both Regions, with a request that names the ACS by URL and by index.
func checkArtifacts(t *testing.T, start func(spMetadata [][]byte) peer) {
	byURL := deployArtifacts(t, false)
	byIndex := deployArtifacts(t, true)
	p := start([][]byte{byURL.metadata(t), byIndex.metadata(t)})
	for name, d := range map[string]*deployment{"by URL": byURL, "by index": byIndex} {
		d.trust(t, p.metadata)
		for _, region := range []string{homeRegion, awayRegion} {
			t.Run(region+" "+name, func(t *testing.T) { checkArtifact(t, p, d, region) })
		}
	}
}

func deployArtifacts(t *testing.T, byIndex bool) *deployment {
	t.Helper()
	_, cert := peerTLS()
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return deploy(t, func(sp *saml.Config, r *acs.Config) {
		sp.ACSByIndex, r.SOAP.RootCAs = byIndex, roots
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
