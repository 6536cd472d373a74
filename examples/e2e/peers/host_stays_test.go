package peers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// TestHostStays is not a test. It runs a host program for manual use: the one that MERIDIAN_PEER names. The host
// trusts the identity provider whose metadata is in the file MERIDIAN_PEER_IDP. TestHostStays prints the host's
// addresses in JSON, and ends the host when standard input ends:
//
//	go test -c -o /tmp/peers ./examples/e2e/peers
//	cd examples/e2e/peers
//	MERIDIAN_PEER=samlify MERIDIAN_PEER_IDP=idp.xml /tmp/peers -test.run '^TestHostStays$' -test.timeout 0
func TestHostStays(t *testing.T) {
	name := os.Getenv("MERIDIAN_PEER")
	if name == "" {
		testkit.Skip(t, "MERIDIAN_PEER names no host")
	}
	metadata, err := os.ReadFile(os.Getenv("MERIDIAN_PEER_IDP"))
	require.NoError(t, err)
	h := startHost(t, name, metadata)
	out, err := json.Marshal(h)
	require.NoError(t, err)
	fmt.Printf("%s\n", out)
	_, err = io.Copy(io.Discard, os.Stdin)
	require.NoError(t, err)
}
