package saml_test

import (
	"crypto"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/saml"
)

// attributeAttackSP is a service provider whose identity provider answers attribute queries.
func attributeAttackSP(t *testing.T, entity, sp, key string, at time.Time) *saml.ServiceProvider {
	t.Helper()
	public := attackKeys()[key]
	require.NotNil(t, public, "idp-key")
	cfg := attackConfig(t, public, attackCertificates()[key], nil, attack.Settings{}, entity)
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: entity, Keys: []crypto.PublicKey{public.Public()}, AttributeService: idpAttributes,
	})
	require.NoError(t, err)
	cfg.EntityID, cfg.IdP, cfg.Now = sp, idp, func() time.Time { return at }
	out, err := saml.New(cfg)
	require.NoError(t, err)
	return out
}

// TestAttributeCases makes every hostile answer to an attribute query of the catalogue with each key, J20, and its twin
// without the attack, which is accepted.
func TestAttributeCases(t *testing.T) {
	cases := attack.AttributeCases()
	require.NotEmpty(t, cases)
	to := saml.AttributeQueryRecord{ID: "_query1", IdP: idpEntity, NameID: alice}
	for _, c := range cases {
		for _, key := range keyFiles(attack.AnyKey) {
			t.Run(c.ID+"/"+key, func(t *testing.T) {
				sp := attributeAttackSP(t, idpEntity, spEntity, key, now)
				p := attack.AttributeParams{Params: attackRun{c: attack.Case{ID: c.ID}, key: key}.params(), QueryID: to.ID}
				twin, err := c.Twin(p)
				require.NoError(t, err)
				answer, err := sp.VerifyAttributeAnswer(twin, to)
				require.NoError(t, err)
				require.Equal(t, alice.Value, answer.NameID().Value)
				hostile, err := c.Make(p)
				require.NoError(t, err)
				answer, err = sp.VerifyAttributeAnswer(hostile, to)
				require.Nil(t, answer)
				requireReasonIn(t, c.Outcome.Reasons, err)
			})
		}
	}
}

// TestAttributeVectors verifies the answers to attribute queries in testdata/vectors by their headers alone.
func TestAttributeVectors(t *testing.T) {
	vectors := vectorsOf(t, "attributes")
	require.NotEmpty(t, vectors, "no vectors")
	for _, v := range vectors {
		t.Run(v.one("id"), func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, v.one("now"))
			require.NoError(t, err)
			sp := attributeAttackSP(t, v.one("idp"), v.one("sp"), v.one("idp-key"), at)
			answer, err := sp.VerifyAttributeAnswer([]byte(v.body), saml.AttributeQueryRecord{
				ID: v.one("query-id"), IdP: v.one("idp"), NameID: alice,
			})
			v.requireVerdict(t, err)
			require.Equal(t, err == nil, answer != nil)
		})
	}
}
