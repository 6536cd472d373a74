package run_test

import (
	"crypto"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/saml"
)

// If a service provider accepts encrypted assertions only, the attacks are
// encrypted.
func TestRunWhereAllIsEncrypted(t *testing.T) {
	metadata, err := sharedIdP().Metadata()
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	to := broken(t, func(at string, response []byte) string {
		if root := read(response); root == nil || root.FindElement("//EncryptedAssertion") == nil {
			return ""
		}
		sp, err := saml.New(saml.Config{
			EntityID: at + "/saml", IdP: idp, ACS: []saml.Endpoint{{URL: at + "/acs"}},
			DecryptionKeys: []crypto.Decrypter{spKey()},
		})
		assert.NoError(t, err)
		want := requestIn(response)
		want.ACS = at + "/acs"
		a, err := sp.Verify(response, want)
		if err != nil {
			return ""
		}
		return a.NameID().Value
	})
	to.Only = []string{"A03", "B01", "B36", "D11", "D13", "D29", "E07"}
	assert.Equal(t, run.Inconclusive, result(t, attacked(t, to), "B36").Verdict, "without its key")

	to.EncryptTo = &spKey().PublicKey
	report := attacked(t, to)
	var good []string
	for _, g := range report.Good {
		good = append(good, string(g.Verdict)+": "+g.How)
	}
	assert.Equal(t, []string{
		"inconclusive: rsa, assertion signed", "inconclusive: rsa, response signed", "inconclusive: rsa, both signed",
		"accepted: rsa, assertion signed, encrypted by aes256-gcm", "accepted: rsa, response signed, encrypted by aes256-gcm",
		"accepted: rsa, both signed, encrypted by aes256-gcm", "accepted: ecdsa, assertion signed, encrypted",
	}, good)
	for id, verdict := range map[string]run.Verdict{
		"A03/assertion": run.NotRun, // it needs a plain one
		"B01":           run.Refused, "B36": run.Refused, "D13": run.Refused, "D29": run.Refused, "D11/idle": run.LetIn,
	} {
		x := result(t, report, id)
		assert.Equal(t, verdict, x.Verdict, "%s: %s", id, x.Reason)
	}
}
