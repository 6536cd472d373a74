package xmltree_test

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// encodedMutant is a mutant in some encoding, with a declaration that may name
// another one.
func encodedMutant(r *rand.Rand) []byte {
	names := []string{
		"UTF-8",
		"utf-8",
		"utf8",
		"UTF-16",
		"UTF-16LE",
		"UTF-16BE",
		"ISO-8859-1",
		"latin1",
		"US-ASCII",
		"windows-1252",
		"ISO-8859-15",
	}
	doc := strings.ToValidUTF8(mutant(r), "")
	if r.IntN(4) > 0 && !strings.Contains(doc, "<?") {
		doc = declared(names[r.IntN(len(names))]) + doc
	}
	switch r.IntN(6) {
	case 0:
		return []byte(utf16LE("\ufeff" + doc))
	case 1:
		return []byte(utf16BE("\ufeff" + doc))
	case 2:
		return []byte("\ufeff" + doc)
	case 3:
		return []byte(doc)
	}
	var out []byte
	for _, c := range doc {
		out = append(out, byte(c)) // another document where c is not in ISO-8859-1
	}
	return out
}

// TestEncodedTreesAreLibxml2s: what we read in any encoding, libxml2 reads, and
// as the same tree.
func TestEncodedTreesAreLibxml2s(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 0))
	var raw [][]byte
	var docs []string
	for len(docs) < 6_000 {
		doc := encodedMutant(r)
		raw = append(raw, doc)
		docs = append(docs, "base64:"+base64.StdEncoding.EncodeToString(doc))
	}
	both, here, there := 0, 0, 0
	for i, theirs := range libxml2(t, docs) {
		d, err := xmltree.ParseEncoded(raw[i], roomy)
		switch {
		case err == nil && theirs == "null" && (oddNamespace(d) || oddID(string(raw[i]))):
			here++
		case err == nil:
			require.NotEqual(t, "null", theirs, "libxml2 refuses %q", raw[i])
			ours, err := json.Marshal(tree(d.Root()))
			require.NoError(t, err)
			require.JSONEq(t, theirs, string(ours), "%q", raw[i])
			both++
		case theirs != "null":
			there++
		}
	}
	t.Logf(
		"%d documents, %d read by both as the same tree; read here alone: %d, there alone: %d",
		len(docs),
		both,
		here,
		there,
	)
	require.Greater(t, both, len(docs)/20)
}
