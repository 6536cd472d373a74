package awsnames_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsnames"
	"github.com/meridian-saml/meridian/portal/center"
)

func TestInstanceID(t *testing.T) {
	id, err := awsnames.InstanceID("arn:aws:sso:::instance/ssoins-7223d7e9a1b2c3d4")
	require.NoError(t, err)
	assert.Equal(t, "ssoins-7223d7e9a1b2c3d4", id)
	for arn, want := range map[string]awsnames.Reason{
		"arn:aws-us-gov:sso:::instance/ssoins-7223d7e9a1b2c3d4": awsnames.ReasonPartition,
		"arn:aws-cn:sso:::instance/ssoins-7223d7e9a1b2c3d4":     awsnames.ReasonPartition,
		"":                                       awsnames.ReasonInvalid,
		"ssoins-7223d7e9a1b2c3d4":                awsnames.ReasonInvalid,
		"arn:aws:sso:::instance/ssoins-7223":     awsnames.ReasonInvalid,
		"arn:aws:sso:::instance/ins/7223d7e9a1b": awsnames.ReasonInvalid,
		"arn:aws:sso:::instance/ssoins-7223d7e9a1b2c3d4/":                         awsnames.ReasonInvalid,
		"arn:aws:sso:::instance/ssoins-7223d7e9a1b2c3d4\n":                        awsnames.ReasonInvalid,
		"arn:aws:sso:::permissionSet/ssoins-7223d7e9a1b2c3d4/ps-0123456789abcdef": awsnames.ReasonInvalid,
	} {
		id, err := awsnames.InstanceID(arn)
		assert.Empty(t, id)
		var e *awsnames.Error
		if assert.ErrorAs(t, err, &e, arn) {
			assert.Equal(t, want, e.Reason, arn)
		}
	}
}

// Rule 51: an instance of package center has addresses in AWS's form under its own ID, whether it is derived or given.
func TestAddressesOfACentersInstance(t *testing.T) {
	for _, given := range []string{"", "ssoins-7223d7e9a1b2c3d4"} {
		inst, err := center.New(center.Data{Instance: center.InstanceMetadata{ID: given},
			Regions: []center.Region{{Name: "us-east-1"}, {Name: "eu-central-1"}}})
		require.NoError(t, err)
		m := inst.Snapshot().Metadata()
		id, err := awsnames.InstanceID(m.ARN())
		require.NoError(t, err)
		assert.Equal(t, m.ID, id)
		names := awsnames.Instance{Primary: "us-east-1", InstanceID: id, IdentityStoreID: m.IdentityStoreID}
		urls, err := names.PortalURLs("us-east-1")
		require.NoError(t, err)
		assert.Contains(t, urls, "https://"+m.IdentityStoreID+".awsapps.com/start")
		urls, err = names.PortalURLs("eu-central-1")
		require.NoError(t, err)
		assert.Contains(t, urls, "https://"+m.ID+".portal.eu-central-1.app.aws")
	}
}
