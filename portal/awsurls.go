package portal

import (
	"regexp"
	"strings"
)

// AWSNames are the names in the addresses of an IAM Identity Center instance.
// Their methods give the addresses of one of its Regions in AWS's formats, for
// [center.Region], for the identity provider's app, or to compare with: this
// module serves whatever addresses it is configured with.
//
// The formats are those of AWS's commercial partition. Other partitions, such
// as China, GovCloud and the European Sovereign Cloud, have other domains: their
// Regions are refused.
type AWSNames struct {
	// Primary is the primary Region. Required.
	Primary string
	// InstanceID is the part of the instance's ARN that begins with ssoins-.
	// PortalURLs requires it.
	InstanceID string
	// IdentityStoreID, such as d-9067f1a2b3, is in the classic address of the
	// primary Region's portal. Empty: none.
	IdentityStoreID string
	// Alias is the custom name of that address. Empty: none.
	Alias string
	// TenantID is opaque. ACSURLs requires it.
	TenantID string
	// LegacyACS says that the instance is from before February 2026, whose
	// primary Region keeps an alternative IPv4 ACS URL.
	LegacyACS bool
}

// PortalURLs returns the addresses of a Region's access portal: the IPv4-only
// and the dual-stack one, in that order in every Region, and the classic ones
// at awsapps.com, which only the primary has. No Region but the primary has an
// alias. The error is an *Error with ReasonConfig.
func (n AWSNames) PortalURLs(region string) ([]string, error) {
	if err := n.check(region, "AWSNames.InstanceID", n.InstanceID); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(n.InstanceID, "ssoins-") {
		return nil, badConfig("AWSNames.InstanceID", "ssoins- and more", n.InstanceID)
	}
	out := []string{
		"https://" + n.InstanceID + "." + region + ".portal.amazonaws.com",
		"https://" + n.InstanceID + ".portal." + region + ".app.aws",
	}
	if region != n.Primary {
		return out, nil
	}
	for _, name := range []struct{ field, value string }{{"AWSNames.IdentityStoreID", n.IdentityStoreID}, {"AWSNames.Alias", n.Alias}} {
		if name.value == "" {
			continue
		}
		if !awsLabel.MatchString(name.value) {
			return nil, badConfig(name.field, "letters, digits and hyphens", name.value)
		}
		out = append(out, "https://"+name.value+".awsapps.com/start")
	}
	return out, nil
}

// ACSURLs returns a Region's assertion consumer service URLs: the IPv4-only
// and the dual-stack one, and the primary's legacy one if there is. Register
// all of them. This is not the order to register them in: whichever one the
// identity provider has first stays first there and on [saml.Config].ACS. The
// error is an *Error with ReasonConfig.
func (n AWSNames) ACSURLs(region string) ([]string, error) {
	if err := n.check(region, "AWSNames.TenantID", n.TenantID); err != nil {
		return nil, err
	}
	path := "/platform/saml/acs/" + n.TenantID
	out := []string{
		"https://" + region + ".signin.aws" + path,
		"https://" + region + ".sso.signin.aws" + path,
	}
	if region == n.Primary && n.LegacyACS {
		out = append(out, "https://"+region+".signin.aws.amazon.com"+path)
	}
	return out, nil
}

// The names go into hosts and paths as they are, so they must be what they
// seem.
var (
	awsRegion = regexp.MustCompile(`^([a-z]+-){2,3}[0-9]$`)
	// awsCommercial is what AWS's SDKs have for the partition "aws". It is a
	// list of what is known: a Region of a partition to come gets no address
	// rather than a wrong one.
	awsCommercial = regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]$`)
	awsLabel      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

func (n AWSNames) check(region, field, value string) error {
	switch {
	case !awsRegion.MatchString(n.Primary):
		return badConfig("AWSNames.Primary", "a Region code such as eu-central-1", n.Primary)
	case !awsRegion.MatchString(region):
		return badConfig("Region", "a Region code such as eu-central-1", region)
	case !awsCommercial.MatchString(n.Primary):
		return badConfig("AWSNames.Primary", "a Region of AWS's commercial partition", n.Primary)
	case !awsCommercial.MatchString(region):
		return badConfig("Region", "a Region of AWS's commercial partition", region)
	case !awsLabel.MatchString(value):
		return badConfig(field, "letters, digits and hyphens", value)
	}
	return nil
}
