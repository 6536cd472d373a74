package examples_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// errorFields are the names of an error's fields in every package. A type has those
// that it needs.
var errorFields = []string{"Reason", "Rule", "Detail", "Want", "Got", "Err"}

// moreFields are additional fields of some types.
var moreFields = map[string][]string{
	"saml":                  {"Status", "Issued", "NameID", "AssertionID", "IdP", "Attributes"},
	"saml/internal/xmltree": {"Name", "Offset"},
	"portal/center":         {"Primary"}, // the Region to ask instead
	"portal/scim":           {"Primary"},
}

func TestErrorsOfAllPackagesHaveTheSameFields(t *testing.T) {
	found := 0
	for _, p := range list(t, "./...") {
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil,
				parser.ParseComments|parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.TypeSpec:
					if body, ok := n.Type.(*ast.StructType); ok && n.Name.Name == "Error" {
						found++
						checkFields(t, short(p.ImportPath), body)
					}
				case *ast.ValueSpec:
					if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Reason" && strings.HasPrefix(n.Names[0].Name, "Reason") {
						assert.True(t, n.Doc != nil || n.Comment != nil, "%s: %s says nothing", p.ImportPath, n.Names[0])
					}
				}
				return true
			})
		}
	}
	require.Greater(t, found, 12)
}

func checkFields(t *testing.T, pkg string, body *ast.StructType) {
	for _, field := range body.Fields.List {
		for _, name := range field.Names {
			if name.IsExported() {
				assert.Contains(t, slices.Concat(errorFields, moreFields[pkg]), name.Name, "%s.Error", pkg)
			}
		}
	}
}
