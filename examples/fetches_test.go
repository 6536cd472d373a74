package examples_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fetches are the names of the standard library with which a program opens connections.
var fetches = regexp.MustCompile(`^(http\.(Get|Head|Post|PostForm|NewRequest|NewRequestWithContext|Client|` +
	`DefaultClient|Transport|DefaultTransport)|(net|tls)\.(Dial\w*|Dialer))$`)

// Of the service provider, acs/federation fetches metadata, and the SOAP client of acs calls identity providers at the
// addresses in it. Everything else opens no connection, so a review of these shows what a client can cause.
func TestOnlyFederationAndSOAPFetch(t *testing.T) {
	found := false
	for _, p := range list(t, "./saml/...", "./acs/...") {
		name := short(p.ImportPath)
		if name == "acs/internal/testserver" { // used by tests
			continue
		}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(parsed, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if of, ok := s.X.(*ast.Ident); ok && fetches.MatchString(of.Name+"."+s.Sel.Name) {
					found = true
					ours := strings.HasPrefix(name, "acs/federation") || name == "acs" && strings.HasPrefix(file, "soap")
					assert.True(t, ours, "%s/%s: %s.%s", name, file, of.Name, s.Sel.Name)
				}
				return true
			})
		}
	}
	require.True(t, found, "acs/federation fetches")
}
