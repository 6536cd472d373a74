package xmltree_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const python = "/usr/bin/python3" // the one that Debian's packages are for

// libxml2 reads documents in one process; "null" is a refusal.
func libxml2(t *testing.T, docs []string) []string {
	t.Helper()
	testkit.RequireSuccess(t, "peers", python, "-c", "import lxml.etree")
	var in bytes.Buffer
	for _, doc := range docs {
		line, err := json.Marshal(doc)
		require.NoError(t, err)
		in.Write(append(line, '\n'))
	}
	cmd := exec.Command(python, "testdata/libxml2.py")
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	require.Len(t, lines, len(docs))
	return lines
}

// tree is what testdata/libxml2.py writes, by our reader.
func tree(n xmltree.Node) []any {
	d := n.Doc()
	attrs := [][]string{}
	for _, a := range n.Attrs() {
		attrs = append(attrs, []string{"{" + d.URI(a.NS) + "}" + a.Local, a.Value})
	}
	out := []any{n.Name(), attrs}
	for pos := n.Pos() + 1; pos < n.End(); pos = d.At(pos).End() {
		c := d.At(pos)
		if !c.IsText() {
			out = append(out, tree(c))
			continue
		}
		if s, ok := out[len(out)-1].(string); ok && len(out) > 2 {
			out[len(out)-1] = s + c.String()
		} else {
			out = append(out, c.String())
		}
	}
	return out
}

// strictness is where libxml2 reads what we refuse on purpose. Everything else
// that it reads, we read.
var strictness = map[string]func(doc string, kind xmltree.Reason) bool{
	"a DOCTYPE": func(doc string, _ xmltree.Reason) bool { return strings.Contains(doc, "<!DOCTYPE") },
	"a processing instruction": func(doc string, _ xmltree.Reason) bool {
		return regexp.MustCompile(`<\?[^x]|<\?x[^m]|<\?xm[^l]`).MatchString(doc)
	},
	"a NUL, where libxml2 stops reading": func(doc string, _ xmltree.Reason) bool { return strings.Contains(doc, "\x00") },
	"a comment inside a text":            func(_ string, kind xmltree.Reason) bool { return kind == xmltree.Text },
	"an ID twice":                        func(_ string, kind xmltree.Reason) bool { return kind == xmltree.Duplicate },
	"a namespace that is a relative URI": func(doc string, _ xmltree.Reason) bool {
		return regexp.MustCompile(
			`xmlns(:[^=]*)?\s*=\s*["'](?:[^a-zA-Z"']|[a-zA-Z0-9+.-]*[^a-zA-Z0-9+.:"'-]|[a-zA-Z0-9+.-]*["'])`,
		).
			MatchString(doc)
	},
	"a version or an encoding other than 1.0 and UTF-8": func(doc string, _ xmltree.Reason) bool {
		return strings.Contains(doc, "<?xml") &&
			!regexp.MustCompile(`^(\x{feff})?<\?xml\s+version\s*=\s*["']1\.0["'](\s+encoding\s*=\s*["'](?i:utf-8)["'])?\s*\?>`).
				MatchString(doc)
	},
	// Namespaces in XML, 3: "It MUST NOT be declared as the default
	// namespace", nor bound to another prefix.
	"a reserved namespace": func(doc string, _ xmltree.Reason) bool {
		return regexp.MustCompile(`xmlns(:[^=]*)?\s*=\s*["']http://www\.w3\.org/(XML/1998/namespace|2000/xmlns/)`).
			MatchString(doc)
	},
}

// oddNamespace is where libxml2 refuses what we read: it wants the name of a
// namespace to be a URI in all its parts (RFC 3986), and we that it begins as
// an absolute one does. Nothing is ever fetched from there, names are compared
// as strings, and their canonical form is not in doubt.
func oddNamespace(d *xmltree.Doc) bool {
	odd := false
	d.Root().Walk(func(n xmltree.Node) {
		for _, decl := range n.Decls() {
			odd = odd || !uriChars.MatchString(d.URI(decl.NS)) || port.MatchString(d.URI(decl.NS))
		}
	})
	return odd
}

// oddID is the other place: an xml:id that is no name, which xml:id 1.0 has
// reported and not refused. The verifier has a stricter rule for the IDs that
// it uses.
func oddID(doc string) bool { return regexp.MustCompile(`xml:id\s*=`).MatchString(doc) }

var uriChars = regexp.MustCompile(
	`^([A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*(#[A-Za-z0-9._~:/?@!$&'()*+,;=-]*)?$`,
)

var port = regexp.MustCompile(`//[^/?#]*:`)

// TestTreesAreLibxml2s: what we read, libxml2 reads, and as the same tree; what
// it reads and we don't is named above. 4,000 mutants, or as many as
// MERIDIAN_MUTANTS says.
func TestTreesAreLibxml2s(t *testing.T) {
	count := 4_000
	if asked := os.Getenv("MERIDIAN_MUTANTS"); asked != "" {
		var err error
		count, err = strconv.Atoi(asked)
		require.NoError(t, err)
	}
	r := rand.New(rand.NewPCG(4, 0))
	docs := slices.Clone(seeds)
	for len(docs) < count {
		// JSON holds no other bytes; TestRefuses has them.
		if doc := mutant(r); utf8.ValidString(doc) {
			docs = append(docs, doc)
		}
	}
	both, lax, why := 0, 0, map[string]int{}
	for i, theirs := range libxml2(t, docs) {
		d, err := xmltree.Parse(docs[i], roomy)
		if err == nil {
			if theirs == "null" && (oddNamespace(d) || oddID(docs[i])) {
				lax++
				continue
			}
			require.NotEqual(t, "null", theirs, "libxml2 refuses %q", docs[i])
			ours, err := json.Marshal(tree(d.Root()))
			require.NoError(t, err)
			require.JSONEq(t, theirs, string(ours), "%q", docs[i])
			both++
			continue
		}
		if theirs == "null" {
			continue
		}
		var e *xmltree.Error
		require.True(t, errors.As(err, &e))
		found := 0
		for name, fits := range strictness {
			if fits(docs[i], e.Reason) {
				why[name]++
				found++
			}
		}
		if found == 0 {
			t.Errorf("libxml2 reads %q, and we: %v", docs[i], err)
		}
	}
	t.Logf(
		"%d documents, %d read by both as the same tree; refused there alone: %d; refused here alone: %v",
		len(docs),
		both,
		lax,
		why,
	)
	require.Greater(t, both, count/20)
}

// Each reason to be stricter is one: libxml2 does read these.
func TestStricterThanLibxml2(t *testing.T) {
	docs := map[string]string{
		"a DOCTYPE":                          `<!DOCTYPE a><a/>`,
		"a processing instruction":           `<a><?x y?></a>`,
		"a comment inside a text":            `<a>x<!-- -->y</a>`,
		"an ID twice":                        `<a ID="x"><b ID="x"/></a>`,
		"a namespace that is a relative URI": `<a xmlns="rel"/>`,
		"a version or an encoding other than 1.0 and UTF-8": `<?xml version="1.0" encoding="US-ASCII"?><a/>`,
	}
	for name, doc := range docs {
		require.NotEqual(t, "null", libxml2(t, []string{doc})[0], name)
		_, err := xmltree.Parse(doc, roomy)
		var e *xmltree.Error
		require.True(t, errors.As(err, &e))
		require.True(t, strictness[name](doc, e.Reason), name)
	}
}
