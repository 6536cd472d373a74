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
	nodeSAML     = "@node-saml/node-saml@5.1.0"
	passportSAML = "@node-saml/passport-saml@5.1.1"
	samlify      = "samlify@2.13.1"
	samlJackson  = "@boxyhq/saml-jackson@26.2.0"
)

// npmModules is the folder with the packages of all hosts but saml-jackson,
// which brings the clients of many stores, 250 MB.
var (
	npmModules = sync.OnceValues(func() (string, error) {
		return npm.Modules(nodeSAML, passportSAML, "express@5.3.0", "express-session@1.19.0", "passport@0.7.0",
			samlify, "@authenio/samlify-node-xmllint@2.0.0")
	})
	samlJacksonModules = sync.OnceValues(func() (string, error) { return npm.Modules(samlJackson) })
)

func startNodeSAML(t *testing.T, s hostState) *spHost {
	s.node(t, npmModules, "node-saml/sp.cjs")
	return s.host(npm.Version(nodeSAML))
}

func startPassportSAML(t *testing.T, s hostState) *spHost {
	s.node(t, npmModules, "passport-saml/sp.cjs")
	return s.host(npm.Version(passportSAML))
}

func startSamlify(t *testing.T, s hostState) *spHost {
	s.node(t, npmModules, "samlify/sp.cjs")
	return s.host(npm.Version(samlify))
}

func startSAMLJackson(t *testing.T, s hostState) *spHost {
	s.node(t, samlJacksonModules, "saml-jackson/sp.cjs")
	return s.host(npm.Version(samlJackson))
}

// node starts a host program in JavaScript.
func (s hostState) node(t *testing.T, modules func() (string, error), script string) {
	t.Helper()
	node := testkit.RequireProgram(t, "peers", "node")
	folder, err := modules()
	if err != nil {
		testkit.Lacking(t, "peers", "npm packages: "+err.Error())
	}
	s.env = append(slices.Clone(s.env), "NODE_PATH="+folder)
	s.run(t, node, peerScript(t, script))
}
