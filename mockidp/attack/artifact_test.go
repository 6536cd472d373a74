package attack_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

const (
	resolveID     = "_resolve1"
	artifactIndex = 1
)

// artifactParams returns the same parameters each time, so that messages can be compared.
func artifactParams(c attack.ArtifactCase) attack.ArtifactParams {
	return attack.ArtifactParams{
		Params: params(attack.Case{ID: c.ID}, c.Needs), Index: artifactIndex, ResolveID: resolveID,
	}
}

// artifactVectors returns the vectors of all cases and of the good messages that are their twins, by ID.
func artifactVectors(t *testing.T, said *comments) map[string][]byte {
	t.Helper()
	out, twins := make(map[string][]byte), make(map[string]string)
	twinOf := func(c attack.ArtifactCase, seed string) (string, attack.ArtifactMessage) {
		p := artifactParams(c)
		p.Rand = rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", seed))))
		m, err := c.Twin(p)
		require.NoError(t, err, c.ID)
		return string(artifactVector(about{}, c, attack.Outcome{}, m)), m
	}
	for _, c := range attack.ArtifactCases() {
		if g := goodOf(c.ID); g >= 0 {
			same, _ := twinOf(c, "")
			twins[same] = good[g].id
			_, m := twinOf(c, good[g].id)
			a := about{id: good[g].id, name: goodName, comment: good[g].comment}
			out[a.id] = artifactVector(a, c, attack.Outcome{}, m)
		}
	}
	for _, c := range attack.ArtifactCases() {
		m, err := c.Make(artifactParams(c))
		require.NoError(t, err, c.ID)
		same, _ := twinOf(c, "")
		require.NotEmpty(t, twins[same], "no vector is the twin of %s; add a good one", c.ID)
		a := about{c.ID, c.Name, c.Description, c.Reference, said.onArtifact(t, c), twins[same]}
		out[c.ID] = artifactVector(a, c, c.Outcome, m)
	}
	return out
}

// artifactVector returns the vector of an artifact or an answer: a case's, or its twin's.
func artifactVector(a about, c attack.ArtifactCase, o attack.Outcome, m attack.ArtifactMessage) []byte {
	var h headers
	h.line("kind", "artifact")
	h.about(a)
	h.line("expect", o.String())
	h.when(o.Accepted() && !c.Brought, "name-id", strconv.Quote("alice@example.com"))
	h.line("idp", issuer)
	h.line("idp-key", keyFile(c.Needs.Key))
	h.when(c.Needs.SP.OtherIdP, "other-idp", otherIssuer)
	h.when(c.Needs.SP.OtherIdP, "other-idp-key", "other-idp-rsa.pem")
	h.line("artifact-index", strconv.Itoa(artifactIndex))
	h.line("sp", audience)
	h.line("acs", recipient)
	h.line("other-acs", otherACS)
	h.when(c.Needs.Encrypted, "sp-key", "sp-rsa.pem")
	p := artifactParams(c)
	h.line("request-id", p.RequestID)
	h.when(!c.Brought, "resolve-id", p.ResolveID)
	h.line("now", now.Format(time.RFC3339))
	if c.Brought {
		h.line("body", "samlart")
		fmt.Fprintf(&h, "\n%s\n", m.Artifact)
	} else {
		h.line("body", "sent")
		fmt.Fprintf(&h, "\n%s\n", m.Envelope)
	}
	return h.Bytes()
}

func (w *comments) onArtifact(t *testing.T, c attack.ArtifactCase) string {
	t.Helper()
	if text, ok := w.written[c.ID]; ok {
		w.used[c.ID] = true
		return text
	}
	twin, err := c.Twin(artifactParams(c))
	require.NoError(t, err, c.ID)
	is, err := c.Make(artifactParams(c))
	require.NoError(t, err, c.ID)
	when, byText := c.Stage()
	if byText {
		return sentence(t, c.ID, when+", "+textDifference(string(twin.Envelope), string(is.Envelope)))
	}
	changes, err := treeDifference(twin.Envelope, is.Envelope)
	if err != nil || when == "" || changes == "" {
		assert.Fail(t, "write a comment in testdata/comments.txt", "%s (%v)", c.ID, err)
	}
	return sentence(t, c.ID, when+", "+changes)
}

func TestArtifactCasesAreWellFormed(t *testing.T) {
	seen := make(map[string]bool)
	id := regexp.MustCompile(`^[HJ]\d\d(/[a-z0-9.-]+)?$`)
	for _, c := range attack.ArtifactCases() {
		require.Regexp(t, id, c.ID)
		require.False(t, seen[c.ID], "duplicate ID %s", c.ID)
		seen[c.ID] = true
		require.NotEmpty(t, c.Name, c.ID)
		one, err := c.Make(artifactParams(c))
		require.NoError(t, err, c.ID)
		again, err := c.Make(artifactParams(c))
		require.NoError(t, err, c.ID)
		require.Equal(t, one, again, "%s: the same parameters give the same message", c.ID)
		require.Equal(t, c.Brought, one.Envelope == nil, c.ID)
		twin, err := c.Twin(artifactParams(c))
		require.NoError(t, err, c.ID)
		require.NotEqual(t, one, twin, c.ID)
	}
}

func TestArtifactNeedsItsParameters(t *testing.T) {
	for _, c := range attack.ArtifactCases() {
		for name, change := range map[string]func(*attack.ArtifactParams){
			"no identity":       func(p *attack.ArtifactParams) { p.Issuer = "" },
			"no time":           func(p *attack.ArtifactParams) { p.Now = time.Time{} },
			"no key":            func(p *attack.ArtifactParams) { p.Key = nil },
			"nothing to answer": func(p *attack.ArtifactParams) { p.ResolveID = "" },
		} {
			p := artifactParams(c)
			change(&p)
			_, err := c.Make(p)
			if name == "nothing to answer" && c.Brought {
				require.NoError(t, err, c.ID)
				continue
			}
			var e *attack.Error
			require.ErrorAs(t, err, &e, "%s: %s", c.ID, name)
			require.Equal(t, c.ID, e.Rule)
		}
	}
}
