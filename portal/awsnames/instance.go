// Package awsnames builds the addresses of an AWS IAM Identity Center instance for each Region: the URLs of its access
// portal, its assertion consumer service (ACS) URLs, and the hosts that networks with an allow-list must allow. Use it
// to configure a Region or an identity provider's app, or to compare addresses. Meridian itself does not require these
// formats. DOMAINS.md, beside the source, lists the hosts.
//
// The formats are those of AWS's commercial partition. Other partitions, such as China, GovCloud and the European
// Sovereign Cloud, have other domains. Their Regions are refused.
package awsnames

import (
	"fmt"
	"regexp"
	"strings"
)

// Reason says why a name was refused. The list is closed. Compare with a Reason, never with a message.
type Reason string

// The reasons.
const (
	ReasonInvalid   Reason = "Invalid"   // a name is missing or doesn't have AWS's format
	ReasonPartition Reason = "Partition" // the Region isn't in the commercial partition
)

// Error is the type of every error that this package returns.
type Error struct {
	Reason    Reason
	Rule      string // the name that was checked, such as Instance.Alias
	Want, Got string // what was expected, and the value
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("awsnames: %s: %s: want %s, got %.100q", e.Reason, e.Rule, e.Want, e.Got)
}

// Instance holds the names in an instance's addresses. Its methods return the addresses of one of its Regions.
type Instance struct {
	Primary         string // the primary Region; required
	InstanceID      string // the part of the instance's ARN that begins with ssoins-; PortalURLs requires it
	IdentityStoreID string // such as d-9067f1a2b3, in the classic address of the primary's portal; empty: none
	Alias           string // the custom name in that address; empty: none
	TenantID        string // an opaque name in ACS URLs; ACSURLs requires it
	LegacyACS       bool   // created before February 2026: the primary has another IPv4 ACS URL
}

// PortalURLs returns the addresses of a Region's access portal: the IPv4-only one, the dual-stack one, and, in the
// primary Region only, the classic ones at awsapps.com with the IdentityStoreID and the Alias. The error is an *Error.
func (i Instance) PortalURLs(region string) ([]string, error) {
	if err := i.check(region, "Instance.InstanceID", i.InstanceID); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(i.InstanceID, "ssoins-") {
		return nil, &Error{ReasonInvalid, "Instance.InstanceID", "ssoins- and an ID", i.InstanceID}
	}
	hosts, err := i.hosts(region, UsePortal)
	var out []string
	for _, h := range hosts {
		path := ""
		if h.PrimaryOnly {
			path = "/start"
		}
		out = append(out, "https://"+h.Name+path)
	}
	return out, err
}

// ACSURLs returns a Region's assertion consumer service URLs: the IPv4-only one, the dual-stack one, and the primary's
// legacy one if LegacyACS is set. Register all of them. Keep the existing order of the identity provider and of the
// service provider: their first URL must stay first. The error is an *Error.
func (i Instance) ACSURLs(region string) ([]string, error) {
	if err := i.check(region, "Instance.TenantID", i.TenantID); err != nil {
		return nil, err
	}
	hosts, err := i.hosts(region, UseSignIn)
	var out []string
	for _, h := range hosts {
		out = append(out, "https://"+h.Name+"/platform/saml/acs/"+i.TenantID)
	}
	return out, err
}

// The names go into hosts and paths unchanged, so only plain ones are accepted.
var (
	regionCode = regexp.MustCompile(`^([a-z]+-){2,3}[0-9]$`)
	// commercial is the AWS SDKs' pattern for the partition "aws". A Region of a future partition is refused, so that
	// it can't get a wrong address.
	commercial = regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]$`)
	label      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

const (
	codeWant      = "a Region code such as eu-central-1"
	partitionWant = "a Region of AWS's commercial partition"
	labelWant     = "letters, digits and hyphens"
)

func (i Instance) check(region, field, value string) error {
	switch {
	case !regionCode.MatchString(i.Primary):
		return &Error{ReasonInvalid, "Instance.Primary", codeWant, i.Primary}
	case !regionCode.MatchString(region):
		return &Error{ReasonInvalid, "Region", codeWant, region}
	case !commercial.MatchString(i.Primary):
		return &Error{ReasonPartition, "Instance.Primary", partitionWant, i.Primary}
	case !commercial.MatchString(region):
		return &Error{ReasonPartition, "Region", partitionWant, region}
	case !label.MatchString(value):
		return &Error{ReasonInvalid, field, labelWant, value}
	}
	return nil
}
