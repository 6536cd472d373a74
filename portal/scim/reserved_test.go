package scim_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
)

// A client can't clear fields that no attribute stands for.
func TestReservedFieldsSurvive(t *testing.T) {
	d := center.Data{
		Regions: []center.Region{{Name: "us-east-1"}},
		Users: []center.User{{ID: "u-1", UserName: "rosa@example.com", IdentityProvider: "https://idp.example/saml",
			StableID: "00u7"}},
	}
	r := newRig(t, d, "us-east-1")
	r.ok(t, 200, "PUT", "/Users/u-1", `{"userName":"rosa.r@example.com","displayName":"Rosa"}`)
	r.ok(t, 200, "PATCH", "/Users/u-1",
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"displayName":"Rosa R"}}]}`)
	u, ok := r.view.UserByID("u-1")
	require.True(t, ok)
	assert.Equal(t, "Rosa R", u.DisplayName)
	assert.Equal(t, "https://idp.example/saml", u.IdentityProvider)
	assert.Equal(t, "00u7", u.StableID)
}
