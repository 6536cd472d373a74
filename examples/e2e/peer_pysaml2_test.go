package e2e_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// debianPython is the interpreter that sees Debian's modules; one that is
// first on PATH may not.
const debianPython = "/usr/bin/python3"

// TestPysaml2 signs in with pysaml2 as the identity provider. It reads our
// metadata, checks our requests by it, and signs with xmlsec1.
func TestPysaml2(t *testing.T) {
	python := requireProgram(t, "peers", debianPython)
	xmlsec := requireProgram(t, "peers", "xmlsec1")
	requireSuccess(t, "peers", python, "-c", "import saml2")
	script, err := filepath.Abs("testdata/peers/pysaml2_idp.py")
	require.NoError(t, err)

	checkPeer(t, []string{signResponse, signAssertion, signBoth}, func(t *testing.T, sign string, spMetadata [][]byte) peer {
		state, spFiles := peerState(t, spMetadata)
		cmd := exec.Command(python, "-B", script, "--sign", sign, "--xmlsec", xmlsec,
			"--key", filepath.Join(state, "idp.key"), "--cert", filepath.Join(state, "idp.crt"))
		for _, file := range spFiles {
			cmd.Args = append(cmd.Args, "--sp-metadata", file)
		}
		cmd.Dir = state
		cmd.Env = append(os.Environ(), "TMPDIR="+state)
		at := startPeer(t, cmd, regexp.MustCompile(`listening on (http://127\.0\.0\.1:\d+)\n`))
		metadata := newPeerBrowser(t).open(at + "/metadata")
		require.Equal(t, 200, metadata.status, metadata.body)
		return peer{
			metadata: []byte(metadata.body),
			unsolicited: func(entityID, relayState string) string {
				return at + "/unsolicited?" + url.Values{"sp": {entityID}, "RelayState": {relayState}}.Encode()
			},
			checksRequests: true, signatureIDs: true,
			mail: "urn:oid:0.9.2342.19200300.100.1.3", affiliation: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
		}
	})
}
