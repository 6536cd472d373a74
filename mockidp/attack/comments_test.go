package attack_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// comments describes what a case's vector changes, in one or two sentences: those of
// testdata/comments.txt or else the difference of the document from its twin.
type comments struct {
	written map[string]string // by ID
	used    map[string]bool
}

func newComments(t *testing.T) *comments {
	t.Helper()
	text, err := os.ReadFile("testdata/comments.txt")
	require.NoError(t, err)
	w := &comments{written: make(map[string]string), used: make(map[string]bool)}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		id, comment, ok := strings.Cut(line, ": ")
		require.True(t, ok, line)
		require.Empty(t, w.written[id], "two comments on %s", id)
		w.written[id] = comment
	}
	return w
}

func (w *comments) on(t *testing.T, c attack.Case) string {
	t.Helper()
	if text, ok := w.written[c.ID]; ok {
		w.used[c.ID] = true
		return text
	}
	twin, err := c.Twin(params(c, c.TwinNeeds()))
	require.NoError(t, err, c.ID)
	is := makeIt(t, c).XML
	when, byText := c.Stage()
	if byText {
		return sentence(t, c.ID, when+", "+textDifference(string(twin.XML), string(is)))
	}
	changes, err := treeDifference(twin.XML, is)
	if err != nil || when == "" || changes == "" {
		assert.Fail(t, "write a comment in testdata/comments.txt", "%s (%v)", c.ID, err)
	}
	if strings.HasSuffix(strings.ToLower(when), "in the signature") && signedAgain(string(twin.XML), string(is)) {
		changes += ". SignedInfo is signed again with the right key"
	}
	return sentence(t, c.ID, when+", "+changes)
}

func (w *comments) onMetadata(t *testing.T, c attack.MetadataCase) string {
	t.Helper()
	if text, ok := w.written[c.ID]; ok {
		w.used[c.ID] = true
		return text
	}
	twin, err := c.Twin(metadataParams())
	require.NoError(t, err, c.ID)
	is, err := c.Make(metadataParams())
	require.NoError(t, err, c.ID)
	when, byText := c.Stage()
	if byText {
		return sentence(t, c.ID, when+", "+textDifference(string(twin), string(is)))
	}
	changes, err := treeDifference(twin, is)
	if err != nil || when == "" || changes == "" {
		assert.Fail(t, "write a comment in testdata/comments.txt", "%s (%v)", c.ID, err)
	}
	if when == "In the signature" && signedAgain(string(twin), string(is)) {
		changes += ". SignedInfo is signed again with the right key"
	}
	return sentence(t, c.ID, when+", "+changes)
}

// sentence returns a comment, and fails the test if it is too long.
func sentence(t *testing.T, id, s string) string {
	t.Helper()
	assert.LessOrEqual(t, len(s), 420, "%s: write a comment in testdata/comments.txt instead of %s", id, s)
	assert.NotContains(t, s, "\n", id)
	return s + "."
}

// signedAgain reports whether the documents have different SignatureValues.
func signedAgain(was, is string) bool {
	value := func(doc string) string {
		_, rest, _ := strings.Cut(doc, "<ds:SignatureValue>")
		value, _, _ := strings.Cut(rest, "<")
		return value
	}
	return value(is) != "" && value(is) != value(was)
}
