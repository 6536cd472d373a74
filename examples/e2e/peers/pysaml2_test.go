package peers_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// debianPython is the interpreter that sees Debian's modules; one that is
// first on PATH may not.
const debianPython = "/usr/bin/python3"

// TestPysaml2 signs in with pysaml2 as the identity provider. It reads our
// metadata, checks our requests by it, and signs with xmlsec1.
func TestPysaml2(t *testing.T) {
	py := requirePysaml2(t)
	checkPeer(t, []string{signResponse, signAssertion, signBoth},
		func(t *testing.T, sign string, spMetadata [][]byte) peer {
			return py.start(t, sign, spMetadata)
		})
}

// pysaml2 is where the parts of that identity provider are.
type pysaml2 struct{ python, xmlsec, script string }

func requirePysaml2(t *testing.T) pysaml2 {
	t.Helper()
	script, err := filepath.Abs("testdata/pysaml2_idp.py")
	require.NoError(t, err)
	py := pysaml2{testkit.RequireProgram(t, "peers", debianPython), testkit.RequireProgram(t, "peers", "xmlsec1"), script}
	testkit.RequireSuccess(t, "peers", py.python, "-c", "import saml2")
	return py
}

// start starts one that knows these service providers; options are for the script.
func (py pysaml2) start(t *testing.T, sign string, spMetadata [][]byte, options ...string) peer {
	t.Helper()
	state, spFiles := peerState(t, spMetadata)
	cmd := exec.Command(py.python, "-B", py.script, "--sign", sign, "--xmlsec", py.xmlsec,
		"--key", filepath.Join(state, "idp.key"), "--cert", filepath.Join(state, "idp.crt"))
	for _, file := range spFiles {
		cmd.Args = append(cmd.Args, "--sp-metadata", file)
	}
	cmd.Args = append(cmd.Args, options...)
	cmd.Dir = state
	cmd.Env = append(os.Environ(), "TMPDIR="+state)
	at := startPeer(t, cmd, regexp.MustCompile(`listening on (http://127\.0\.0\.1:\d+)\n`))
	metadata := newPeerBrowser(t).open(at + "/metadata")
	require.Equal(t, 200, metadata.status, metadata.body)
	return peer{
		metadata: []byte(metadata.body),
		sign:     sign,
		unsolicited: func(entityID, relayState string) string {
			return at + "/unsolicited?" + url.Values{"sp": {entityID}, "RelayState": {relayState}}.Encode()
		},
		checksRequests: true, signatureIDs: true,
		mail: "urn:oid:0.9.2342.19200300.100.1.3", affiliation: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
	}
}
