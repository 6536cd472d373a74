package dsig_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const python = "/usr/bin/python3" // the one that Debian's packages are for

func (s subtree) canonical() string {
	return string(dsig.Canonical(s.apex, s.except, strings.Join(s.List, " ")))
}

// libxml2 has it canonicalise everything in one process; nil is a refusal.
func libxml2(t *testing.T, all []subtree) []*string {
	t.Helper()
	testkit.RequireSuccess(t, "peers", python, "-c", "import ctypes; ctypes.CDLL('libxml2.so.2')")
	var jobs bytes.Buffer
	for _, s := range all {
		line, err := json.Marshal(s)
		require.NoError(t, err)
		jobs.Write(append(line, '\n'))
	}
	cmd := exec.Command(python, "testdata/libxml2.py")
	cmd.Stdin = &jobs
	out, err := cmd.Output()
	require.NoError(t, err)
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	require.Len(t, lines, len(all))
	results := make([]*string, len(all))
	for i, line := range lines {
		require.NoError(t, json.Unmarshal(line, &results[i]))
	}
	return results
}

// TestCanonicalFormIsLibxml2s compares 2,000 subtrees, or as many as
// MERIDIAN_SUBTREES says, with libxml2 in one process.
func TestCanonicalFormIsLibxml2s(t *testing.T) {
	count := 2_000
	if asked := os.Getenv("MERIDIAN_SUBTREES"); asked != "" {
		var err error
		count, err = strconv.Atoi(asked)
		require.NoError(t, err)
	}
	g := &generator{Rand: rand.New(rand.NewPCG(3, 0))}
	var all []subtree
	for len(all) < count {
		some, err := g.subtrees(4)
		require.NoError(t, err)
		all = append(all, some...)
	}
	lines := libxml2(t, all)
	different, excepted, listed := 0, 0, 0
	for i, s := range all {
		want := lines[i]
		require.NotNil(t, want, "libxml2 can't read %q", s.Doc)
		if s.Except >= 0 {
			excepted++
		}
		if len(s.List) > 0 {
			listed++
		}
		got := s.canonical()
		if got != *want {
			different++
			if different <= 5 {
				t.Errorf("apex %d, except %d, list %q of %q:\nlibxml2 %q\nwe      %q", s.Apex, s.Except, s.List, s.Doc, *want, got)
			}
		}
	}
	t.Logf(
		"%d subtrees (%d with a child left out, %d with a PrefixList), %d different",
		len(all),
		excepted,
		listed,
		different,
	)
	require.Zero(t, different)
}

// Where libxml2 does something else, which the generator above leaves out.
// In both, what we write is what the specification says, so a signature over
// such a document by libxml2 is refused here: no identity provider has one.
func TestWhereLibxml2IsWrong(t *testing.T) {
	cases := []struct {
		doc  string
		want any // libxml2's; nil where it has none
		ours string
	}{
		// A namespace's name is escaped like an attribute's value (Canonical
		// XML 1.0, 2.3: "process the value as for attribute nodes"). libxml2
		// writes it as it is, which isn't even XML.
		{`<a:e xmlns:a="urn:a?x&amp;y"/>`, `<a:e xmlns:a="urn:a?x&y"></a:e>`, `<a:e xmlns:a="urn:a?x&amp;y"></a:e>`},
	}
	var all []subtree
	for _, c := range cases {
		d, err := xmltree.Parse(c.doc, roomy)
		require.NoError(t, err)
		all = append(all, subtree{Doc: c.doc, Except: -1, apex: d.Root()})
	}
	for i, got := range libxml2(t, all) {
		require.Equal(t, cases[i].ours, all[i].canonical())
		if cases[i].want == nil {
			require.Nil(t, got)
		} else {
			require.Equal(t, cases[i].want, *got)
		}
	}
}
