package examples_test

import (
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every package that users import has an Example. Each Example is a program in
// one file, so that pkg.go.dev can show and run it.
func TestExamplesRunByThemselves(t *testing.T) {
	for _, p := range list(t, "./saml/...", "./acs/...", "./portal/...", "./mockidp/...") {
		if len(p.GoFiles) == 0 || strings.Contains(p.ImportPath, "/internal/") {
			continue
		}
		files, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		require.NoError(t, err)
		n := 0
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			require.NoError(t, err)
			for _, example := range doc.Examples(file) {
				n++
				assert.NotNil(t, example.Play, "%s: Example%s needs what other files declare", name, example.Name)
			}
		}
		assert.NotZero(t, n, "%s has no Example", p.ImportPath)
	}
}
