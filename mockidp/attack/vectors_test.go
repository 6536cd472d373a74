package attack_test

import (
	"bytes"
	"cmp"
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

var update = flag.Bool("update", false, "write testdata/vectors")

const (
	vectors = testdata + "/vectors"
	// biggest is the largest document in a vector. For larger ones the vector has the
	// ID of the case that makes it.
	biggest = 64 << 10
)

// vectorFile returns the name of a vector's file.
func vectorFile(id string) string { return strings.ReplaceAll(id, "/", "-") + ".txt" }

// headers is the beginning of a vector.
type headers struct{ bytes.Buffer }

func (h *headers) line(key, value string) { fmt.Fprintf(h, "%s: %s\n", key, value) }

func (h *headers) when(ok bool, key, value string) {
	if ok {
		h.line(key, value)
	}
}

// goodName is the name of the vectors that belong to no row.
const goodName = "good message"

// about holds the first headers of vectors of all kinds.
type about struct{ id, name, what, reference, comment, twin string }

func (h *headers) about(a about) {
	h.line("id", a.id)
	h.line("name", a.name)
	h.when(a.what != "", "what", a.what)
	h.when(a.reference != "", "reference", a.reference)
	h.line("comment", a.comment)
	h.when(a.twin != "", "twin", a.twin)
}

// vector returns the vector of a document: headers, an empty line, and the document
// or the form value. testdata/README.md explains the headers.
func vector(a about, o attack.Outcome, n attack.Needs, m attack.Message) []byte {
	var h headers
	h.about(a)
	h.line("expect", o.String())
	if o.Accepted() {
		h.line("name-id", strconv.Quote(cmp.Or(o.NameID, "alice@example.com")))
		for _, name := range slices.Sorted(maps.Keys(o.Values)) {
			h.line("attribute", quoted(name, o.Values[name]))
		}
		h.line("until", cmp.Or(o.Until, 5*time.Minute).String())
	}
	h.line("signed", n.Modes()[0].String())
	h.line("idp", issuer)
	h.line("idp-key", keyFile(n.Key))
	h.when(n.SP.EncryptionKeyListed, "idp-encryption-key", "attacker-rsa.pem")
	h.when(n.SP.OtherIdP, "other-idp", otherIssuer)
	h.when(n.SP.OtherIdP, "other-idp-key", "other-idp-rsa.pem")
	h.line("sp", audience)
	h.line("acs", recipient)
	h.line("other-acs", otherACS)
	h.when(n.Encrypted, "sp-key", "sp-rsa.pem")
	id := requestID
	if n.SP.OtherIdP {
		id = requestToIssuer
	}
	h.line("request-id", id)
	h.line("now", now.Format(time.RFC3339))
	h.settings(n.SP)
	switch row, _, _ := strings.Cut(a.id, "/"); {
	case len(m.SAMLResponse) > biggest, row == "D50", row == "D51": // DEFLATE is not the same in every Go
		h.line("body", "generated")
		h.WriteString("\n")
	case row != "C24" && plain(m.XML):
		h.line("body", "xml")
		fmt.Fprintf(&h, "\n%s\n", m.XML)
	default:
		h.line("body", "posted")
		fmt.Fprintf(&h, "\n%s\n", m.SAMLResponse)
	}
	return h.Bytes()
}

func (h *headers) settings(s attack.Settings) {
	h.when(s.AllowSHA1, "allow", "sha1")
	h.when(s.AllowRSA1024, "allow", "rsa1024")
	h.when(s.AllowCBC, "allow", "cbc")
	h.when(s.AllowRSA15, "allow", "rsa15")
	h.when(s.MaxAuthnAge != 0, "max-authn-age", s.MaxAuthnAge.String())
	h.when(s.MetadataOver, "over", "metadata")
	h.when(s.CertificateOver, "over", "certificate")
	h.when(s.ForceAuthn, "asked-force-authn", "true")
	h.when(s.AuthnContext != "", "asked-authn-context", s.AuthnContext)
	h.when(s.NameIDFormat != "", "asked-name-id-format", s.NameIDFormat)
	h.when(s.Subject, "asked-subject", "alice@example.com")
	h.when(s.Unsolicited, "unsolicited", "true")
	h.when(s.Scope != "", "scope", s.Scope)
	h.when(s.ScopePattern != "", "scope-pattern", s.ScopePattern)
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

// responseVectors returns the vectors of all cases and of the good messages that are
// their twins, by ID.
func responseVectors(t *testing.T, said *comments) map[string][]byte {
	t.Helper()
	out, twins := make(map[string][]byte), newTwins(t)
	for _, c := range attack.Cases() {
		a := about{c.ID, c.Name, c.Description, c.Reference, said.on(t, c), twins.of(t, c)}
		out[c.ID] = vector(a, c.Outcome, c.Needs, makeIt(t, c))
		if g := goodOf(c.ID); g >= 0 {
			c.ID = good[g].id // which seeds the randomness
			m, err := c.Twin(params(c, c.TwinNeeds()))
			require.NoError(t, err, c.ID)
			out[c.ID] = vector(about{id: c.ID, name: goodName, comment: good[g].comment}, c.TwinOutcome(), c.TwinNeeds(), m)
		}
	}
	return out
}

// TestVectors checks that testdata/vectors has exactly the vectors of the catalogue.
// With -update it writes them.
func TestVectors(t *testing.T) {
	want := make(map[string][]byte)
	folded := make(map[string]string)
	said := newComments(t)
	for id, text := range metadataVectors(t, said) {
		want[vectorFile(id)] = text
	}
	for id, text := range logoutVectors(t, said) {
		want[vectorFile(id)] = text
	}
	for id, text := range artifactVectors(t, said) {
		want[vectorFile(id)] = text
	}
	for id, text := range attributeVectors(t, said) {
		want[vectorFile(id)] = text
	}
	for id, text := range responseVectors(t, said) {
		want[vectorFile(id)] = text
	}
	for _, g := range good {
		require.Contains(t, want, vectorFile(g.id), "it is the twin of %s", g.of)
	}
	for id := range said.written {
		require.True(t, said.used[id], "a comment on %s, which is not a case", id)
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
	require.Less(t, size, 5<<20, "vectors in all")
}
