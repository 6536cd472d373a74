package saml_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

// TestArtifactVectors parses the artifacts and verifies the answers in testdata/vectors by their headers alone.
func TestArtifactVectors(t *testing.T) {
	vectors := vectorsOf(t, "artifact")
	require.NotEmpty(t, vectors, "no vectors")
	for _, v := range vectors {
		t.Run(v.one("id"), func(t *testing.T) { v.verifyArtifact(t) })
	}
}

func (v *vector) verifyArtifact(t *testing.T) {
	sp := v.artifactSP(t)
	if v.one("body") == "samlart" {
		a, err := sp.ParseArtifact(v.body)
		v.requireVerdict(t, err)
		if err == nil {
			require.Equal(t, v.one("idp"), a.IdP())
		}
		return
	}
	to := saml.ArtifactRecord{ID: v.one("resolve-id"), IdP: v.one("idp")}
	a, err := sp.VerifyArtifactResponse([]byte(v.body), to, saml.VerifyOptions{
		ACS: v.one("acs"), RequestIDs: []string{v.one("request-id")},
	})
	v.requireVerdict(t, err)
	if err == nil {
		require.Equal(t, v.one("name-id"), strconv.Quote(a.NameID().Value))
	}
}

func (v *vector) artifactSP(t *testing.T) *saml.ServiceProvider {
	t.Helper()
	now, err := time.Parse(time.RFC3339, v.one("now"))
	require.NoError(t, err)
	index, err := strconv.ParseUint(v.one("artifact-index"), 10, 16)
	require.NoError(t, err)
	key := attackKeys()[v.one("idp-key")]
	require.NotNil(t, key, "idp-key")
	cfg := attackConfig(t, key, attackCertificates()[v.one("idp-key")], nil, attack.Settings{}, v.one("idp"))
	cfg.EntityID, cfg.Now = v.one("sp"), func() time.Time { return now }
	cfg.IdP = idpWithArtifacts(t, v.one("idp"), key, uint16(index))
	cfg.ACS = []saml.Endpoint{{URL: v.one("acs"), Region: "here"}, {URL: v.one("other-acs"), Region: "there"}}
	if other := v.one("other-idp"); other != "" {
		otherKey := attackKeys()[v.one("other-idp-key")]
		require.NotNil(t, otherKey, "other-idp-key")
		cfg = withOtherIdP(t, cfg, attack.Settings{}, other, otherKey)
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	return sp
}
