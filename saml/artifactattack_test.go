package saml_test

import (
	"crypto"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

// artifactIndex is that of the address in the identity provider's metadata.
const artifactIndex = 1

// TestArtifactCases makes every hostile artifact and every hostile answer to an ArtifactResolve of the catalogue with
// each key, and its twin without the attack, which is accepted. D52, H01, H02, H03, H08,
// H09, H10, H11, H12, H13, H15, H19, H20, H21, J12: a case is refused for its Reason, and the report says the same.
func TestArtifactCases(t *testing.T) {
	cases := attack.ArtifactCases()
	require.NotEmpty(t, cases)
	for _, c := range cases {
		for _, key := range keyFiles(c.Needs.Key) {
			t.Run(c.ID+"/"+key, func(t *testing.T) {
				t.Parallel()
				sp, p := artifactAttackSP(t, c, key), artifactAttackParams(c, key)
				m, err := c.Twin(p)
				require.NoError(t, err)
				requireArtifact(t, sp, c, m, p, attack.Outcome{})
				m, err = c.Make(p)
				require.NoError(t, err)
				requireArtifact(t, sp, c, m, p, c.Outcome)
			})
		}
	}
}

// requireArtifact parses an artifact or verifies an answer, and compares the result with what is expected.
func requireArtifact(
	t *testing.T, sp *saml.ServiceProvider, c attack.ArtifactCase, m attack.ArtifactMessage, p attack.ArtifactParams,
	want attack.Outcome,
) {
	t.Helper()
	if c.Brought {
		a, err := sp.ParseArtifact(m.Artifact)
		if want.Accepted() {
			require.NoError(t, err)
			require.Equal(t, idpEntity, a.IdP())
			return
		}
		require.Nil(t, a)
		requireReasonIn(t, want.Reasons, err)
		return
	}
	record, options := saml.ArtifactRecord{ID: p.ResolveID, IdP: idpEntity},
		saml.VerifyOptions{ACS: usACS, RequestIDs: []string{p.RequestID}}
	a, err := sp.VerifyArtifactResponse(m.Envelope, record, options)
	report := sp.ExplainArtifactResponse(m.Envelope, record, options)
	if want.Accepted() {
		require.NoError(t, err)
		require.Equal(t, "alice@example.com", a.NameID().Value)
		require.Equal(t, idpEntity, a.Issuer())
		require.NoError(t, report.Err)
		return
	}
	require.Nil(t, a)
	requireReasonIn(t, want.Reasons, err)
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.Rule)
	require.Nil(t, report.Assertion)
	requireReason(t, e.Reason, report.Err)
	require.True(t, slices.ContainsFunc(report.Checks, func(k saml.Check) bool { return k.Reason == e.Reason }))
}

// artifactAttackSP is a service provider whose identity provider signs with a key of testdata/keys.
func artifactAttackSP(t *testing.T, c attack.ArtifactCase, key string) *saml.ServiceProvider {
	t.Helper()
	cfg := attackConfig(t, attackKeys()[key], attackCertificates()[key], nil, c.Needs.SP, idpEntity)
	cfg.IdP = idpWithArtifacts(t, idpEntity, attackKeys()[key], artifactIndex)
	if c.Needs.SP.OtherIdP {
		cfg = withOtherIdP(t, cfg, c.Needs.SP, secondIdP, attackKeys()["other-idp-rsa.pem"])
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	return sp
}

// idpWithArtifacts is an identity provider with one address that resolves artifacts.
func idpWithArtifacts(t *testing.T, entity string, key crypto.Signer, index uint16) *saml.IdP {
	t.Helper()
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: entity, Keys: []crypto.PublicKey{key.Public()},
		Artifacts: []saml.ArtifactService{{Index: index, URL: idpARS}},
	})
	require.NoError(t, err)
	return idp
}

func artifactAttackParams(c attack.ArtifactCase, key string) attack.ArtifactParams {
	return attack.ArtifactParams{
		Params: attackRun{c: attack.Case{ID: c.ID, Needs: c.Needs}, key: key, encrypt: c.Needs.Encrypted}.params(),
		Index:  artifactIndex, ResolveID: resolveID,
	}
}
