package peers_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/meridian-saml/meridian/examples/internal/npm"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The packages that the host programs in JavaScript need.
const (
	nodeSAML   = "@node-saml/node-saml@5.1.0"
	samlify    = "samlify@2.13.1"
	samlifyXSD = "@authenio/samlify-node-xmllint@2.0.0"
)

var nodePackages = []string{nodeSAML, samlify, samlifyXSD}

func startNodeSAML(t *testing.T, s hostState) *spHost {
	s.node(t, "node-saml/sp.cjs")
	return s.host(npm.Version(nodeSAML))
}

func startSamlify(t *testing.T, s hostState) *spHost {
	s.node(t, "samlify/sp.cjs")
	return s.host(npm.Version(samlify))
}

// node starts a host program in JavaScript.
func (s hostState) node(t *testing.T, script string) {
	t.Helper()
	node := testkit.RequireProgram(t, "peers", "node")
	modules, err := npmModules()
	if err != nil {
		testkit.Lacking(t, "peers", "npm packages: "+err.Error())
	}
	s.env = append(slices.Clone(s.env), "NODE_PATH="+modules)
	s.run(t, node, peerScript(t, script))
}

// npmModules returns the folder with nodePackages.
var npmModules = sync.OnceValues(func() (string, error) { return npm.Modules(nodePackages...) })
