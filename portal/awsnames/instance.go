package awsnames

import (
	"regexp"
	"strings"
)

// An Instance holds the names in the addresses of an IAM Identity Center
// instance. Its methods return the addresses of one of its Regions.
type Instance struct {
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
// alias. The error is an *Error.
func (i Instance) PortalURLs(region string) ([]string, error) {
	if err := i.check(region, "Instance.InstanceID", i.InstanceID); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(i.InstanceID, "ssoins-") {
		return nil, invalid("Instance.InstanceID", "ssoins- and more", i.InstanceID)
	}
	out := []string{
		"https://" + i.InstanceID + "." + region + ".portal.amazonaws.com",
		"https://" + i.InstanceID + ".portal." + region + ".app.aws",
	}
	if region != i.Primary {
		return out, nil
	}
	for _, name := range []struct{ field, value string }{{"Instance.IdentityStoreID", i.IdentityStoreID}, {"Instance.Alias", i.Alias}} {
		if name.value == "" {
			continue
		}
		if !label.MatchString(name.value) {
			return nil, invalid(name.field, "letters, digits and hyphens", name.value)
		}
		out = append(out, "https://"+name.value+".awsapps.com/start")
	}
	return out, nil
}

// ACSURLs returns a Region's assertion consumer service URLs: the IPv4-only
// and the dual-stack one, and the primary's legacy one if there is. Register
// all of them. This is not the order to register them in: the one that the
// identity provider has first stays first there and on the service provider's
// list. The error is an *Error.
func (i Instance) ACSURLs(region string) ([]string, error) {
	if err := i.check(region, "Instance.TenantID", i.TenantID); err != nil {
		return nil, err
	}
	path := "/platform/saml/acs/" + i.TenantID
	out := []string{
		"https://" + region + ".signin.aws" + path,
		"https://" + region + ".sso.signin.aws" + path,
	}
	if region == i.Primary && i.LegacyACS {
		out = append(out, "https://"+region+".signin.aws.amazon.com"+path)
	}
	return out, nil
}

// The names go into hosts and paths as they are, so they must be what they
// seem.
var (
	regionCode = regexp.MustCompile(`^([a-z]+-){2,3}[0-9]$`)
	// commercial is what AWS's SDKs have for the partition "aws". It is a
	// list of what is known: a Region of a partition to come gets no address
	// rather than a wrong one.
	commercial = regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]$`)
	label      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

func (i Instance) check(region, field, value string) error {
	switch {
	case !regionCode.MatchString(i.Primary):
		return invalid("Instance.Primary", "a Region code such as eu-central-1", i.Primary)
	case !regionCode.MatchString(region):
		return invalid("Region", "a Region code such as eu-central-1", region)
	case !commercial.MatchString(i.Primary):
		return otherPartition("Instance.Primary", i.Primary)
	case !commercial.MatchString(region):
		return otherPartition("Region", region)
	case !label.MatchString(value):
		return invalid(field, "letters, digits and hyphens", value)
	}
	return nil
}
