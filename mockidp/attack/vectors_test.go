package attack_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

var update = flag.Bool("update", false, "write testdata/vectors anew")

const (
	vectors = testdata + "/vectors"
	// biggest is what a vector may store. Bigger documents say how they are
	// made instead, by their id.
	biggest = 64 << 10
)

// vectorFile is the name of a case's file.
func vectorFile(c attack.Case) string { return strings.ReplaceAll(c.ID, "/", "-") + ".txt" }

// vector writes a case down: headers that say all that is needed to judge it,
// an empty line, and what is posted. testdata/README.md explains the headers.
func vector(t *testing.T, c attack.Case) []byte {
	t.Helper()
	p, m, s := params(c, c.Needs), makeIt(t, c), c.Needs.SP
	var b bytes.Buffer
	line := func(key, format string, args ...any) { fmt.Fprintf(&b, key+": "+format+"\n", args...) }
	when := func(ok bool, key, value string) {
		if ok {
			line(key, "%s", value)
		}
	}
	line("id", "%s", c.ID)
	line("name", "%s", c.Name)
	when(c.Description != "", "what", c.Description)
	when(c.Reference != "", "reference", c.Reference)
	line("expect", "%s", c.Outcome)
	if c.Outcome.Accepted() {
		line("name-id", "%s", strconv.Quote(orElse(c.Outcome.NameID, "alice@example.com")))
		for _, name := range sortedKeys(c.Outcome.Values) {
			line("attribute", "%s", quoted(name, c.Outcome.Values[name]))
		}
		until := c.Outcome.Until
		if until == 0 {
			until = 5 * time.Minute
		}
		line("until", "%s", until)
	}
	line("signed", "%s", p.Sign)
	line("idp", "%s", issuer)
	line("idp-key", "%s", keyFile(c.Needs.Key))
	when(s.EncryptionKeyListed, "idp-encryption-key", "attacker-rsa.pem")
	line("sp", "%s", audience)
	line("acs", "%s", recipient)
	line("other-acs", "%s", otherACS)
	when(c.Needs.Encrypted, "sp-key", "sp-rsa.pem")
	line("request-id", "%s", requestID)
	line("now", "%s", now.Format(time.RFC3339))
	when(s.AllowSHA1, "allow", "sha1")
	when(s.AllowRSA1024, "allow", "rsa1024")
	when(s.AllowCBC, "allow", "cbc")
	when(s.AllowRSA15, "allow", "rsa15")
	when(s.MaxAuthnAge != 0, "max-authn-age", s.MaxAuthnAge.String())
	when(s.MetadataOver, "over", "metadata")
	when(s.CertificateOver, "over", "certificate")
	when(s.ForceAuthn, "asked-force-authn", "true")
	when(s.AuthnContext != "", "asked-authn-context", s.AuthnContext)
	when(s.NameIDFormat != "", "asked-name-id-format", s.NameIDFormat)
	switch {
	case len(m.SAMLResponse) > biggest, c.Row() == "D50", c.Row() == "D51": // DEFLATE is not the same in every Go
		line("body", "generated")
		b.WriteString("\n")
	case c.Row() != "C24" && plain(m.XML):
		line("body", "xml")
		fmt.Fprintf(&b, "\n%s\n", m.XML)
	default:
		line("body", "posted")
		fmt.Fprintf(&b, "\n%s\n", m.SAMLResponse)
	}
	return b.Bytes()
}

func orElse(s, zero string) string {
	if s == "" {
		return zero
	}
	return s
}

func sortedKeys(m map[string][]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func quoted(name string, values []string) string {
	out := strconv.Quote(name)
	for _, v := range values {
		out += " " + strconv.Quote(v)
	}
	return out
}

// plain reports whether a document survives editors and version control.
func plain(xml []byte) bool {
	if !utf8.Valid(xml) {
		return false
	}
	for _, r := range string(xml) {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == '\ufeff' || r >= 0xfffe {
			return false
		}
	}
	return true
}

// TestVectors: testdata/vectors is what the catalogue makes, no more and no
// less. With -update it becomes so.
func TestVectors(t *testing.T) {
	want := make(map[string][]byte)
	folded := make(map[string]string)
	for _, c := range attack.MetadataCases() {
		want[metadataFile(c)] = metadataVector(t, c)
	}
	for _, c := range attack.Cases() {
		want[vectorFile(c)] = vector(t, c)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		other, clash := folded[strings.ToLower(name)]
		require.False(t, clash, "%s and %s are one file on some systems", name, other)
		folded[strings.ToLower(name)] = name
	}
	if *update {
		require.NoError(t, os.MkdirAll(vectors, 0o755))
		old, err := filepath.Glob(vectors + "/*.txt")
		require.NoError(t, err)
		for _, file := range old {
			require.NoError(t, os.Remove(file))
		}
		for name, text := range want {
			require.NoError(t, os.WriteFile(filepath.Join(vectors, name), text, 0o644))
		}
	}
	files, err := filepath.Glob(vectors + "/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files, "no vectors")
	size := 0
	for _, file := range files {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		size += len(text)
		require.Contains(t, want, name, "no case makes this vector; run the test with -update")
		require.Equal(t, string(want[name]), string(text), "%s is not what its case makes; run the test with -update", name)
		delete(want, name)
	}
	require.Empty(t, want, "cases without a vector; run the test with -update")
	require.Less(t, size, 4<<20, "vectors in all")
}
