package peers_test

import (
	"crypto"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// TestSimpleSAMLphpLogout signs out on both sides with SimpleSAMLphp as the identity provider. It checks our messages
// by our metadata, and signs its own.
func TestSimpleSAMLphpLogout(t *testing.T) {
	php := requireSimpleSAMLphp(t)
	t.Run("signed", func(t *testing.T) {
		signed, posted := deployLogout(t), deployLogout(t)
		p := startSimpleSAMLphpLogout(t, php, [][]byte{
			signed.metadata(t), withoutLogout(t, posted.metadata(t), saml.HTTPRedirect),
		})
		signed.trust(t, p.metadata)
		checkLogouts(t, p, signed, homeRegion, awayRegion)
		t.Run("both Regions", func(t *testing.T) { checkBothRegions(t, p, signed, false) })
		posted.trust(t, p.metadata)
		t.Run("posted to us", func(t *testing.T) { checkPostedLogouts(t, p, posted) })
	})
	t.Run("encrypted", func(t *testing.T) {
		d := deployLogout(t, decrypting)
		p := startSimpleSAMLphpLogout(t, php, [][]byte{d.metadata(t)}, "PEER_ENCRYPT=nameid")
		d.trust(t, p.metadata)
		p.encryptsNameID = true
		checkLogouts(t, p, d, homeRegion, awayRegion)
	})
}

// decrypting gives a service provider a key for decryption, which its metadata has.
func decrypting(sp *saml.Config) {
	sp.DecryptionKeys = []crypto.Decrypter{peerEncryptionKey().key}
	sp.EncryptionCertificate = peerEncryptionKey().cert
}

// startSimpleSAMLphpLogout starts one with a sign-in page.
func startSimpleSAMLphpLogout(t *testing.T, php string, spMetadata [][]byte, env ...string) logoutPeer {
	t.Helper()
	front := newTLSFront(t)
	state, _ := peerState(t, spMetadata)
	front.start(t, runSimpleSAMLphp(t, php, state,
		append(env, "PEER_BASE="+front.base+"/", "PEER_AUTH=password")...), "")
	metadata := newPeerBrowser(t).open(front.base + "/saml2/idp/metadata.php")
	require.Equal(t, 200, metadata.status, metadata.body)
	return logoutPeer{
		metadata: []byte(metadata.body),
		login:    "alice", password: "of no value", user: peerUser,
		signOut: front.base + "/saml2/idp/SingleLogoutService.php?" +
			url.Values{"ReturnTo": {front.base + "/logout.php"}}.Encode(),
		signedOut: "You have been logged out",
		register: func(metadata []byte) { // it reads the files for each request
			require.NoError(t, os.WriteFile(filepath.Join(state, "sp-later.xml"), metadata, 0o600))
		},
	}
}
