package peers_test

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// simpleSAMLphp is where Debian's package puts it.
const simpleSAMLphp = "/usr/share/simplesamlphp"

// TestSimpleSAMLphp signs in with SimpleSAMLphp as the identity provider. It
// reads our metadata, checks our requests by it, and signs with xmlseclibs.
func TestSimpleSAMLphp(t *testing.T) {
	php := requireSimpleSAMLphp(t)
	checkPeer(t, []string{signResponse, signAssertion, signBoth},
		func(t *testing.T, sign string, spMetadata [][]byte) peer {
			return startSimpleSAMLphp(t, php, sign, "", spMetadata)
		})
}

func requireSimpleSAMLphp(t *testing.T) (php string) {
	t.Helper()
	php = requirePHP(t)
	testkit.RequireFile(t, "peers", simpleSAMLphp+"/www/saml2/idp/SSOService.php")
	return php
}

// startSimpleSAMLphp starts one that knows these service providers. encrypt says
// what gets encrypted: nothing, "assertion", "nameid" or both, with a comma. env has further variables of its
// configuration.
func startSimpleSAMLphp(t *testing.T, php, sign, encrypt string, spMetadata [][]byte, env ...string) peer {
	t.Helper()
	if sign == signResponse {
		// It heeds WantAssertionsSigned, which our metadata always says.
		for i, metadata := range spMetadata {
			spMetadata[i] = bytes.Replace(metadata,
				[]byte(`WantAssertionsSigned="true"`), []byte(`WantAssertionsSigned="false"`), 1)
		}
	}
	state, _ := peerState(t, spMetadata)
	at := runSimpleSAMLphp(t, php, state, append(env, "PEER_SIGN="+sign, "PEER_ENCRYPT="+encrypt)...)
	metadata := newPeerBrowser(t).open(at + "/saml2/idp/metadata.php")
	require.Equal(t, 200, metadata.status, metadata.body)
	return peer{
		metadata: []byte(metadata.body),
		sign:     sign,
		unsolicited: func(entityID, relayState string) string {
			return at + "/saml2/idp/SSOService.php?" + url.Values{"spentityid": {entityID}, "RelayState": {relayState}}.Encode()
		},
		checksRequests: true, answersUnlisted: true,
		mail: "mail", affiliation: "eduPersonAffiliation",
	}
}

// runSimpleSAMLphp starts the program, with the folder and the other variables of its configuration, and returns its
// address.
func runSimpleSAMLphp(t *testing.T, php, state string, env ...string) string {
	t.Helper()
	config, err := filepath.Abs("testdata/simplesamlphp/config")
	require.NoError(t, err)
	cmd := shellCommand(php, "-S", "127.0.0.1:0", "-t", filepath.Join(simpleSAMLphp, "www"))
	cmd.Env = append(append(os.Environ(), "SIMPLESAMLPHP_CONFIG_DIR="+config, "PEER_STATE="+state), env...)
	return startPeer(t, cmd, regexp.MustCompile(`Development Server \((http://127\.0\.0\.1:\d+)\) started`))
}

// requirePHP returns a php that has the extensions which the tests use.
func requirePHP(t *testing.T) string {
	t.Helper()
	php := testkit.RequireProgram(t, "peers", "php")
	testkit.RequireSuccess(t, "peers", php, "-r", `
		foreach (["dom", "mbstring", "openssl", "zlib"] as $name) {
			if (!extension_loaded($name)) { echo "no extension $name"; exit(1); }
		}`)
	return php
}
