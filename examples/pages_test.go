package examples_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pages of Reasons have exactly one row for each Reason of their packages,
// so that a user finds the cause and the remedy of a value in a log.
func TestPagesHaveEveryReason(t *testing.T) {
	for page, packages := range map[string][]string{
		"saml":    {"saml"},
		"mockidp": {"mockidp"},
		"acs": {"acs", "acs/natsstore", "acs/redisstore", "acs/federation", "acs/discovery",
			"acs/middleware", "acs/theme", "acs/samlspcompat", "acs/telemetry"},
		"portal": {"portal", "portal/center", "portal/keys", "portal/audit", "portal/replica", "portal/failover",
			"portal/scim", "portal/awsnames", "portal/awsapi", "portal/awsapi/oidc"},
	} {
		raw, err := os.ReadFile(filepath.Join("..", page, "REASONS.md"))
		require.NoError(t, err)
		whole := string(raw)
		for _, p := range packages {
			section := whole
			if len(packages) > 1 {
				_, rest, found := strings.Cut(whole, "\n## Of "+filepath.Base(p)+"\n")
				if !found {
					_, rest, found = strings.Cut(whole, "\n## Of "+p+"\n")
				}
				if !found {
					require.Equal(t, page, p, "a section for %s", p)
					rest = whole
				}
				section, _, _ = strings.Cut(rest, "\n## ")
			}
			var rows []string
			for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z0-9_]+)` \\|").FindAllStringSubmatch(section, -1) {
				rows = append(rows, m[1])
			}
			slices.Sort(rows)
			require.Equal(t, reasons(t, p), rows, "the table of %s", p)
		}
	}
}

// reasons returns the values of a package's constants of type Reason, sorted.
func reasons(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	require.NoError(t, err)
	var out []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			consts, ok := d.(*ast.GenDecl)
			if !ok || consts.Tok != token.CONST {
				continue
			}
			for _, s := range consts.Specs {
				v := s.(*ast.ValueSpec)
				if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Reason" {
					value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
					require.NoError(t, err)
					out = append(out, value)
				}
			}
		}
	}
	slices.Sort(out)
	require.NotEmpty(t, out, dir)
	return out
}

// Links between pages lead to existing files, and to headings in them.
func TestPageLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	n := 0
	for _, page := range prose(t) {
		if !strings.HasSuffix(page, ".md") {
			continue
		}
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(raw), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			n++
			target := page
			if to != "" {
				target = filepath.Join(filepath.Dir(page), to)
			}
			_, err := os.Stat(target)
			require.NoError(t, err, "%s: %s", page, m[1])
			if anchor == "" {
				continue
			}
			text, err := os.ReadFile(target)
			require.NoError(t, err)
			var anchors []string
			for _, h := range heading.FindAllStringSubmatch(string(text), -1) {
				h := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(h[1]), "")
				anchors = append(anchors, strings.ReplaceAll(h, " ", "-"))
			}
			require.Contains(t, anchors, anchor, "%s: %s", page, m[1])
		}
	}
	require.Greater(t, n, 20)
}

// prose lists the module's Go files and pages, without recorded data.
func prose(t *testing.T) []string {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"), strings.HasSuffix(path, ".md"):
			files = append(files, path)
		}
		return nil
	}))
	require.Greater(t, len(files), 100)
	return files
}
