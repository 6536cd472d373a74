package examples_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// columns is the width of the text: how many characters a line has at most.
const columns = 120

// quaint are words that plain technical English has a term for: the client, the
// caller, the user, an attacker, the input.
var quaint = regexp.MustCompile(`(?i)\b(somebody|someone|nobody|no one|anybody|strangers?|whoever|stands? twice|` +
	`goes with it|what came|who it is|hush|clerk|estate)\b`)

// data are such words in test data: a user's name, a value of net/http.
var data = regexp.MustCompile(`"nobody|nobody@|=nobody|NoBody|'nobody`)

// Lines fit 120 columns. What can't be broken may be longer: rows of tables in
// pages and of data in tests, URLs, and raw strings.
func TestLinesFitTheWidth(t *testing.T) {
	whole := regexp.MustCompile("https?://|`|^\\s*\\||-----BEGIN|^//go:")
	rows := regexp.MustCompile(`^\s*(\{?"|<)`) // of data, in tests
	var long []string
	for _, file := range prose(t) {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		page, inCode := strings.HasSuffix(file, ".md"), false
		for i, line := range strings.Split(string(raw), "\n") {
			inCode = inCode != (page && strings.HasPrefix(line, "```"))
			data := strings.HasSuffix(file, "_test.go") && rows.MatchString(line)
			if utf8.RuneCountInString(line) > columns && !inCode && !whole.MatchString(line) && !data {
				long = append(long, fmt.Sprintf("%s:%d", file, i+1))
			}
		}
	}
	report(t, long, "lines are longer than 120 columns")
}

// Text names who acts and what is meant.
func TestTextHasStandardTerms(t *testing.T) {
	var found []string
	for _, file := range prose(t) {
		if file == "language_test.go" || file == "../examples/language_test.go" {
			continue
		}
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, line := range strings.Split(string(raw), "\n") {
			if w := quaint.FindString(data.ReplaceAllString(line, "")); w != "" {
				found = append(found, fmt.Sprintf("%s:%d: %s", file, i+1, w))
			}
		}
	}
	report(t, found, "lines have a word that a standard term should replace")
}

// Every exported name that go doc shows has a comment that begins with it.
func TestDocCommentsBeginWithTheName(t *testing.T) {
	var bad []string
	for _, p := range list(t, "./...") {
		if strings.Contains(p.ImportPath, "/internal/") || strings.Contains(p.ImportPath, "/examples/") {
			continue
		}
		fset := token.NewFileSet()
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, f)
		}
		d, err := doc.NewFromFiles(fset, files, p.ImportPath)
		require.NoError(t, err)
		check := func(name, text string) {
			short := name[strings.LastIndexByte(name, '.')+1:]
			first, _, _ := strings.Cut(text, "\n")
			if !regexp.MustCompile(`^(A |An |The )?` + regexp.QuoteMeta(short) + `\b`).MatchString(first) {
				bad = append(bad, strings.TrimPrefix(p.ImportPath, module+"/")+"."+name+": "+first)
			}
		}
		funcs, values := d.Funcs, append(d.Consts, d.Vars...)
		for _, typ := range d.Types {
			check(typ.Name, typ.Doc)
			funcs, values = append(funcs, typ.Funcs...), append(values, append(typ.Consts, typ.Vars...)...)
			for _, m := range typ.Methods {
				check(typ.Name+"."+m.Name, m.Doc)
			}
		}
		for _, f := range funcs {
			check(f.Name, f.Doc)
		}
		for _, v := range values {
			for _, s := range v.Decl.Specs {
				if s := s.(*ast.ValueSpec); s.Doc != nil && s.Names[0].IsExported() {
					check(s.Names[0].Name, s.Doc.Text())
				}
			}
		}
	}
	report(t, bad, "doc comments do not begin with the name")
}

func report(t *testing.T, found []string, what string) {
	t.Helper()
	if len(found) > 0 {
		t.Errorf("%d %s:\n%s", len(found), what, strings.Join(found, "\n"))
	}
}
