package awsnames_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsnames"
)

const (
	ssoins = "ssoins-7223aaaabbbbcccc"
	tenant = "4455422d84a27c9f-9f18-41fa-81b4-769660979b1e"
)

// Rules 29, 30, 31 and 51.
func TestAddressesOfARegion(t *testing.T) {
	full := awsnames.Instance{
		Primary: "us-east-1", InstanceID: ssoins, IdentityStoreID: "d-9067f1a2b3", Alias: "example", TenantID: tenant,
		LegacyACS: true,
	}
	for name, c := range map[string]struct {
		names        awsnames.Instance
		region       string
		portals, acs []string
	}{
		"primary with everything": {
			full, "us-east-1",
			[]string{
				"https://ssoins-7223aaaabbbbcccc.us-east-1.portal.amazonaws.com",
				"https://ssoins-7223aaaabbbbcccc.portal.us-east-1.app.aws",
				"https://d-9067f1a2b3.awsapps.com/start",
				"https://example.awsapps.com/start",
			},
			[]string{
				"https://us-east-1.signin.aws/platform/saml/acs/" + tenant,
				"https://us-east-1.sso.signin.aws/platform/saml/acs/" + tenant,
				"https://us-east-1.signin.aws.amazon.com/platform/saml/acs/" + tenant,
			},
		},
		"an additional Region has no awsapps.com, no alias, no legacy ACS": {
			full, "eu-central-1",
			[]string{
				"https://ssoins-7223aaaabbbbcccc.eu-central-1.portal.amazonaws.com",
				"https://ssoins-7223aaaabbbbcccc.portal.eu-central-1.app.aws",
			},
			[]string{
				"https://eu-central-1.signin.aws/platform/saml/acs/" + tenant,
				"https://eu-central-1.sso.signin.aws/platform/saml/acs/" + tenant,
			},
		},
		"primary of a new instance": {
			awsnames.Instance{Primary: "ap-northeast-3", InstanceID: ssoins, TenantID: tenant}, "ap-northeast-3",
			[]string{
				"https://ssoins-7223aaaabbbbcccc.ap-northeast-3.portal.amazonaws.com",
				"https://ssoins-7223aaaabbbbcccc.portal.ap-northeast-3.app.aws",
			},
			[]string{
				"https://ap-northeast-3.signin.aws/platform/saml/acs/" + tenant,
				"https://ap-northeast-3.sso.signin.aws/platform/saml/acs/" + tenant,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			portals, err := c.names.PortalURLs(c.region)
			require.NoError(t, err)
			assert.Equal(t, c.portals, portals)
			acs, err := c.names.ACSURLs(c.region)
			require.NoError(t, err)
			assert.Equal(t, c.acs, acs)
		})
	}
}

func TestInvalidNamesAreRefused(t *testing.T) {
	good := awsnames.Instance{Primary: "us-east-1", InstanceID: ssoins, TenantID: tenant}
	for name, c := range map[string]struct {
		region string
		spoil  func(*awsnames.Instance)
	}{
		"no primary":           {"us-east-1", func(n *awsnames.Instance) { n.Primary = "" }},
		"no Region":            {"", func(*awsnames.Instance) {}},
		"Region with a dot":    {"eu-central-1.evil", func(*awsnames.Instance) {}},
		"Region with a slash":  {"eu-central-1/", func(*awsnames.Instance) {}},
		"no instance ID":       {"us-east-1", func(n *awsnames.Instance) { n.InstanceID, n.TenantID = "", "" }},
		"another instance ID":  {"us-east-1", func(n *awsnames.Instance) { n.InstanceID, n.TenantID = "ins-1", "." }},
		"alias that is a path": {"us-east-1", func(n *awsnames.Instance) { n.Alias, n.TenantID = "evil.example/", "a/b" }},
	} {
		t.Run(name, func(t *testing.T) {
			n := good
			c.spoil(&n)
			for _, urls := range []func(string) ([]string, error){n.PortalURLs, n.ACSURLs} {
				_, err := urls(c.region)
				var e *awsnames.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, awsnames.ReasonInvalid, e.Reason)
			}
		})
	}
}

// Other partitions have other domains.
func TestOnlyTheCommercialPartition(t *testing.T) {
	for _, region := range []string{
		"us-east-1", "us-west-2", "eu-central-2", "eu-south-1", "ap-southeast-5", "ap-northeast-3", "sa-east-1",
		"ca-west-1", "me-central-1", "af-south-1", "il-central-1", "mx-central-1",
	} {
		_, err := awsnames.Instance{Primary: region, TenantID: tenant}.ACSURLs(region)
		assert.NoError(t, err, region)
	}
	for _, region := range []string{
		"cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1", "us-isob-east-1",
		"us-isof-south-1", "eu-isoe-west-1", "eusc-de-east-1",
	} {
		for _, n := range []awsnames.Instance{
			{Primary: region, InstanceID: ssoins, TenantID: tenant},
			{Primary: "us-east-1", InstanceID: ssoins, TenantID: tenant},
		} {
			for _, addresses := range []func(string) ([]string, error){n.PortalURLs, n.ACSURLs} {
				urls, err := addresses(region)
				var e *awsnames.Error
				require.ErrorAs(t, err, &e, region)
				assert.Equal(t, awsnames.ReasonPartition, e.Reason)
				assert.Equal(t, region, e.Got)
				assert.Empty(t, urls)
			}
		}
	}
}
