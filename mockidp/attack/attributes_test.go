package attack_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

const queryID = "_query1"

func attributeParams(c attack.AttributeCase) attack.AttributeParams {
	return attack.AttributeParams{Params: params(attack.Case{ID: c.ID}, attack.Needs{}), QueryID: queryID}
}

// attributeVectors returns the vectors of all cases and of the good answer that is their twin, by ID.
func attributeVectors(t *testing.T, said *comments) map[string][]byte {
	t.Helper()
	out := make(map[string][]byte)
	twin := ""
	for _, c := range attack.AttributeCases() {
		if g := goodOf(c.ID); g >= 0 {
			twin = good[g].id
			p := attributeParams(c)
			p.Params = params(attack.Case{ID: twin}, attack.Needs{})
			made, err := c.Twin(p)
			require.NoError(t, err, c.ID)
			a := about{id: twin, name: goodName, comment: good[g].comment}
			out[a.id] = attributeVector(a, attack.Outcome{}, made)
		}
		require.NotEmpty(t, twin, "no vector is the twin of %s; add a good one", c.ID)
		made, err := c.Make(attributeParams(c))
		require.NoError(t, err, c.ID)
		a := about{c.ID, c.Name, c.Description, c.Reference, said.onAttributes(t, c), twin}
		out[c.ID] = attributeVector(a, c.Outcome, made)
	}
	return out
}

func attributeVector(a about, o attack.Outcome, envelope []byte) []byte {
	var h headers
	h.line("kind", "attributes")
	h.about(a)
	h.line("expect", o.String())
	h.line("idp", issuer)
	h.line("idp-key", keyFile(attack.AnyKey))
	h.line("sp", audience)
	h.line("query-id", queryID)
	h.line("asked-subject", "alice@example.com")
	h.line("now", now.Format(time.RFC3339))
	h.line("body", "sent")
	fmt.Fprintf(&h, "\n%s\n", envelope)
	return h.Bytes()
}

func (w *comments) onAttributes(t *testing.T, c attack.AttributeCase) string {
	t.Helper()
	if text, ok := w.written[c.ID]; ok {
		w.used[c.ID] = true
		return text
	}
	twin, err := c.Twin(attributeParams(c))
	require.NoError(t, err, c.ID)
	is, err := c.Make(attributeParams(c))
	require.NoError(t, err, c.ID)
	when, byText := c.Stage()
	require.False(t, byText, c.ID)
	changes, err := treeDifference(twin, is)
	if err != nil || when == "" || changes == "" {
		assert.Fail(t, "write a comment in testdata/comments.txt", "%s (%v)", c.ID, err)
	}
	return sentence(t, c.ID, when+", "+changes)
}

func TestAttributeCasesAreWellFormed(t *testing.T) {
	for _, c := range attack.AttributeCases() {
		require.NotEmpty(t, c.Name, c.ID)
		require.False(t, c.Outcome.Accepted(), c.ID)
		one, err := c.Make(attributeParams(c))
		require.NoError(t, err, c.ID)
		again, err := c.Make(attributeParams(c))
		require.NoError(t, err, c.ID)
		require.Equal(t, one, again, "%s: the same parameters give the same message", c.ID)
		twin, err := c.Twin(attributeParams(c))
		require.NoError(t, err, c.ID)
		require.NotEqual(t, one, twin, c.ID)
		require.NotContains(t, string(twin), "AuthnStatement")

		p := attributeParams(c)
		p.QueryID = ""
		_, err = c.Make(p)
		var e *attack.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, c.ID, e.Rule)
	}
}

// The good answer that is posted as a response is one to the request that waits.
func TestPostedAttributes(t *testing.T) {
	p := params(attack.Case{ID: "J20"}, attack.Needs{})
	value, err := attack.PostedAttributes(p)
	require.NoError(t, err)
	doc, err := base64.StdEncoding.DecodeString(string(value))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(doc, []byte("<saml2p:Response ")))
	require.Contains(t, string(doc), `InResponseTo="`+p.RequestID+`"`)
	p.RequestID = ""
	_, err = attack.PostedAttributes(p)
	require.Error(t, err)
}
