package saml_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// artifactAnswers are good answers, signed in every way.
func artifactAnswers() []artifactAnswer {
	return []artifactAnswer{
		{}, {Inside: bare, Sign: true}, {Inside: doc{SignResponse: true}, Sign: true},
		{Inside: doc{UnsignedAssertion: true, SignResponse: true}}, {Inside: doc{Encrypt: sealing{}.seal}, Sign: true},
	}
}

// H12: a good answer to an ArtifactResolve that was changed anywhere is refused, or has exactly the same values.
func TestChangedArtifactResponses(t *testing.T) {
	sp := newSP(t, withArtifacts(t), func(c *saml.Config) { decrypting(c) })
	var m mutator
	accepted := 0
	for n, answer := range artifactAnswers() {
		good := answer.xml(t)
		a, err := sp.VerifyArtifactResponse(good, ofArtifact, unsolicited)
		require.NoError(t, err)
		o := original{values: said(a)}
		c := chance{rand.New(rand.NewPCG(uint64(n), 17))}
		for range 2000 {
			mutant := m.mutate(good, c)
			a, err := sp.VerifyArtifactResponse(mutant, ofArtifact, unsolicited)
			if err == nil {
				accepted++
				require.Empty(t, o.different(mutant, a), "%v\n%s", m.done, mutant)
			}
		}
	}
	require.Positive(t, accepted, "harmless changes are made, too")
}

// FuzzArtifact fuzzes what a browser and an identity provider bring: there is no panic, an error is a *saml.Error and
// has no result, and success means that the artifact has one encoding, and the values are the signed ones.
func FuzzArtifact(f *testing.F) {
	for _, a := range artifactAnswers() {
		f.Add(artifactOf(idpEntity, 0), a.xml(f))
	}
	f.Add(artifactOf(secondIdP, 7), []byte("<a/>"))
	f.Add(strings.Repeat("A", 60), []byte(""))
	sp := newSP(f, withArtifacts(f))
	f.Fuzz(func(t *testing.T, samlArt string, envelope []byte) {
		artifact, err := sp.ParseArtifact(samlArt)
		if err != nil {
			require.Nil(t, artifact)
			var e *saml.Error
			require.True(t, errors.As(err, &e))
			require.Contains(t, []saml.Reason{saml.ReasonArtifactFormat, saml.ReasonArtifactSource}, e.Reason)
		} else {
			octets, err := base64.StdEncoding.DecodeString(samlArt)
			require.NoError(t, err)
			require.Equal(t, base64.StdEncoding.EncodeToString(octets), artifact.Value())
			require.Equal(t, idpEntity, artifact.IdP())
		}
		before := bytes.Clone(envelope)
		a, err := sp.VerifyArtifactResponse(envelope, ofArtifact, unsolicited)
		require.Equal(t, before, envelope, "the input is not written to")
		if err != nil {
			require.Nil(t, a)
			var e *saml.Error
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Reason)
			return
		}
		require.Equal(t, "alice@example.com _asrt1 "+idpEntity, fmt.Sprint(a.NameID().Value, " ", a.ID(), " ", a.Issuer()))
		again, err := sp.VerifyArtifactResponse(envelope, ofArtifact, unsolicited)
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}
