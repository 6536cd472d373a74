package examples_test

import (
	"fmt"
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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const obligationsPage = "../saml/OBLIGATIONS.md"

// requirements are the numbers of each group of requirements for service providers. Of
// the deployment profile's group MD, the twelfth is for identity providers.
var requirements = []struct {
	profile string
	total   int
	groups  []string
	sizes   []int
}{
	{"IIP", 48, []string{"G", "MD", "SSO", "EXT", "ALG", "SP"}, []int{3, 12, 7, 1, 8, 17}},
	{"SDP", 55, []string{"G", "MD", "ALG", "SP"}, []int{4, 11, 1, 39}},
}

// An obligation is a row of the page.
type obligation struct {
	id, asks, status, text string
	tests                  []shownBy
}

// shownBy is a test that a row names, such as saml.TestVerdicts/D30 no restriction.
type shownBy struct{ folder, name, sub string }

var (
	obligationID  = regexp.MustCompile(`\b(?:IIP|SDP)-[A-Z]+[0-9]{2}\b`)
	obligationRow = regexp.MustCompile(`(?m)^\| ((?:IIP|SDP)-[^ |]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$`)
	testInRow     = regexp.MustCompile("`([a-z0-9/]+)\\.(Test\\w+)(?:/([^`]+))?`")
	statuses      = []string{"met", "configured", "partly", "not applicable", "later"}
)

func obligations(t *testing.T) (rows []obligation, page string) {
	t.Helper()
	raw, err := os.ReadFile(obligationsPage)
	require.NoError(t, err)
	for _, m := range obligationRow.FindAllStringSubmatch(string(raw), -1) {
		o := obligation{id: m[1], asks: m[2], status: m[3], text: m[4]}
		for _, f := range testInRow.FindAllStringSubmatch(o.text, -1) {
			o.tests = append(o.tests, shownBy{f[1], f[2], f[3]})
		}
		rows = append(rows, o)
	}
	return rows, string(raw)
}

// The page has each requirement once, in order, with a status that its last column
// supports, and its sums are right.
func TestObligationsAreComplete(t *testing.T) {
	rows, page := obligations(t)
	require.Equal(t, len(regexp.MustCompile(`(?m)^\| *(?:IIP|SDP)-`).FindAllString(page, -1)), len(rows), "rows of another form")
	i := 0
	for _, p := range requirements {
		count := map[string]int{}
		first := i
		for g, group := range p.groups {
			for n := range p.sizes[g] {
				require.Less(t, i, len(rows))
				require.Equal(t, fmt.Sprintf("%s-%s%02d", p.profile, group, n+1), rows[i].id)
				count[rows[i].status]++
				i++
			}
		}
		require.Equal(t, p.total, i-first)
		sums := strconv.Itoa(p.total) + " requirements"
		if p.profile == "SDP" {
			sums += " for service providers"
		}
		sums += ": "
		for _, s := range statuses {
			if count[s] > 0 {
				sums += fmt.Sprintf("%d %s, ", count[s], s)
			}
		}
		sums = strings.TrimSuffix(sums, ", ") + "."
		assert.True(t, strings.Contains(page, sums), "the page says: %s", sums)
	}
	require.Len(t, rows, i)
	for _, o := range rows {
		sentence := strings.Trim(testInRow.ReplaceAllString(o.text, ""), " ,:")
		require.Contains(t, statuses, o.status, o.id)
		assert.Greater(t, len(o.asks), 10, o.id)
		shown := slices.Contains([]string{"met", "configured", "partly"}, o.status)
		assert.Equal(t, shown, len(o.tests) > 0, "%s: tests for what holds, and for nothing else", o.id)
		assert.True(t, o.status == "met" || len(sentence) > 20, "%s: a sentence for what doesn't hold by itself", o.id)
		assert.Equal(t, strings.Count(o.text, "Test"), len(o.tests), "%s: a test of another form", o.id)
	}
}

// Each named test is there, says in its comment which requirement it shows, and has the
// named case. One at least of each row runs on every machine. What a test's comment
// names is on the page.
func TestObligationsHaveTests(t *testing.T) {
	all := allTests(t)
	rows, _ := obligations(t)
	named := map[string]bool{} // "requirement folder.test"
	for _, o := range rows {
		everywhere := len(o.tests) == 0
		for _, n := range o.tests {
			at := n.folder + "." + n.name
			f, found := all[at]
			if !assert.True(t, found, "%s: there is no %s", o.id, at) {
				continue
			}
			named[o.id+" "+at] = true
			assert.Contains(t, f.about, o.id, "%s: the comment of %s doesn't name it (line Obligations)", o.id, at)
			assert.False(t, f.skipped, "%s: %s is always skipped", o.id, at)
			everywhere = everywhere || !f.needs
			if n.sub != "" {
				assert.True(t, all[n.folder].texts[n.sub], "%s: no case of %s is named %q", o.id, at, n.sub)
			}
		}
		assert.True(t, everywhere, "%s: each of its tests needs a program that not all machines have", o.id)
	}
	for at, f := range all {
		for _, id := range f.about {
			assert.True(t, named[id+" "+at], "%s says in its comment that it shows %s: name it in that row of %s",
				at, id, obligationsPage)
		}
	}
}

// testFunction is what is known of a test. The entry of a folder has the strings of all
// its tests.
type testFunction struct {
	about          []string // requirements that its comment names
	skipped, needs bool     // always skipped; needs another program
	texts          map[string]bool
}

// allTests has the tests of all packages, by folder and name, and the folders.
func allTests(t *testing.T) map[string]testFunction {
	t.Helper()
	all := map[string]testFunction{}
	for _, p := range list(t, "./...") {
		files, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		require.NoError(t, err)
		folder := testFunction{texts: map[string]bool{}}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range parsed.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				test := testFunction{about: obligationID.FindAllString(f.Doc.Text(), -1)}
				for _, s := range f.Body.List {
					test.skipped = test.skipped || isSkip(s)
				}
				ast.Inspect(f.Body, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.BasicLit:
						if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
							folder.texts[text] = true
						}
					case *ast.SelectorExpr:
						test.needs = test.needs || n.Sel.Name == "RequireProgram"
					}
					return true
				})
				if strings.HasPrefix(f.Name.Name, "Test") && f.Recv == nil {
					all[short(p.ImportPath)+"."+f.Name.Name] = test
				}
			}
		}
		all[short(p.ImportPath)] = folder
	}
	return all
}

// isSkip reports whether a statement skips the test.
func isSkip(s ast.Stmt) bool {
	e, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := e.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, f.Sel.Name)
}
