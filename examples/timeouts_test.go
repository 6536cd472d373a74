package examples_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// timeouts are the fields that every server in the module sets. A server
// without them keeps the connection of a silent client open forever.
var timeouts = []string{"ReadHeaderTimeout", "ReadTimeout"}

// withoutTimeouts are the functions of package net/http that serve without any.
var withoutTimeouts = regexp.MustCompile(`(?m)(^|[^.\w])http\.(ListenAndServe|ListenAndServeTLS|Serve|ServeTLS)\(`)

// The text that users copy from: programs, packages, their documentation and the
// Markdown files. Tests are exempt.
func TestServersHaveTimeouts(t *testing.T) {
	servers := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".md" {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		require.NotRegexp(t, withoutTimeouts, string(raw), path)
		// In documentation, a server is in a comment.
		for _, server := range regexp.MustCompile(`(?s)&http\.Server\{.*?\n//\t\}`).FindAllString(string(raw), -1) {
			servers++
			for _, field := range timeouts {
				require.Contains(t, server, field+":", path)
			}
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, raw, 0)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok && isServer(lit) {
				servers++
				for _, field := range timeouts {
					require.Contains(t, keys(lit), field, path)
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, servers, 6, "a search that finds nothing proves nothing")
}

func isServer(lit *ast.CompositeLit) bool {
	of, ok := lit.Type.(*ast.SelectorExpr)
	if !ok || of.Sel.Name != "Server" {
		return false
	}
	from, ok := of.X.(*ast.Ident)
	return ok && from.Name == "http"
}

func keys(lit *ast.CompositeLit) (out []string) {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if name, ok := kv.Key.(*ast.Ident); ok {
				out = append(out, name.Name)
			}
		}
	}
	return out
}
