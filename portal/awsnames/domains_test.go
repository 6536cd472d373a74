package awsnames_test

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsnames"
)

var everything = awsnames.Instance{
	Primary: "us-east-1", InstanceID: ssoins, IdentityStoreID: "d-9067f1a2b3", Alias: "example", TenantID: tenant,
	LegacyACS: true,
}

// Rule 32: DOMAINS.md has the hosts of the package, in its order.
func TestRule32DomainsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("DOMAINS.md")
	require.NoError(t, err)
	form := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\| (each|the primary)")
	var got []awsnames.Domain
	for _, row := range form.FindAllStringSubmatch(string(raw), -1) {
		got = append(got, awsnames.Domain{
			Pattern: row[1], Use: awsnames.Use(row[2]), Family: awsnames.Family(row[3]), PrimaryOnly: row[4] == "the primary",
		})
	}
	all := awsnames.Domains()
	require.Len(t, got, len(all))
	for i, d := range all {
		want := awsnames.Domain{Pattern: d.Pattern, Use: d.Use, Family: d.Family, PrimaryOnly: d.PrimaryOnly}
		assert.Equal(t, want, got[i])
	}
}

// Rules 29 to 32: a Region's hosts are those of its addresses and of AWS's clients. The classic ones and the alias are
// the primary's only, and each use that has a dual-stack host has an IPv4 one, too.
func TestRule32HostsOfARegion(t *testing.T) {
	for region, want := range map[string]int{"us-east-1": 12, "eu-central-1": 8} {
		hosts, err := everything.Hosts(region)
		require.NoError(t, err)
		require.Len(t, hosts, want)
		names, families := map[string]bool{}, map[awsnames.Use]map[awsnames.Family]bool{}
		for _, h := range hosts {
			require.False(t, names[h.Name], "%s twice", h.Name)
			names[h.Name] = true
			if families[h.Use] == nil {
				families[h.Use] = map[awsnames.Family]bool{}
			}
			families[h.Use][h.Family] = true
			assert.NotContains(t, h.Name, "{")
			assert.Equal(t, region != "us-east-1" && strings.HasSuffix(h.Name, ".awsapps.com"), false)
			kind, ok := awsnames.DomainOf(strings.ToUpper(h.Name))
			require.True(t, ok, h.Name)
			assert.Equal(t, h.Domain, kind, h.Name)
		}
		for use, f := range families {
			assert.True(t, f[awsnames.IPv4], use)
		}
		portals, err := everything.PortalURLs(region)
		require.NoError(t, err)
		acs, err := everything.ACSURLs(region)
		require.NoError(t, err)
		for _, raw := range append(portals, acs...) {
			u, err := url.Parse(raw)
			require.NoError(t, err)
			assert.True(t, names[u.Host], raw)
		}
	}
}

func TestOtherHostsAreNotAWSs(t *testing.T) {
	for _, host := range []string{
		"", "portal.example", "us-east-1.signin.aws.evil.example", "evil.us-east-1.signin.aws", "awsapps.com",
		"a.b.awsapps.com", "us-east-1.signin.aws\n", "signin.aws",
	} {
		_, ok := awsnames.DomainOf(host)
		assert.False(t, ok, "%q", host)
	}
}

// A spoiled alias has no effect on addresses without one.
func TestHostsAreCheckedOneByOne(t *testing.T) {
	n := everything
	n.Alias = "evil.example/"
	_, err := n.Hosts("eu-central-1")
	require.NoError(t, err, "it has no alias")
	_, err = n.ACSURLs("us-east-1")
	require.NoError(t, err)
	_, err = n.Hosts("us-east-1")
	var e *awsnames.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "Instance.Alias", e.Rule)
}
