package portal

import (
	"errors"

	"github.com/meridian-saml/meridian/portal/awsnames"
	"github.com/meridian-saml/meridian/portal/center"
)

// The texts of the pages for operators who change Regions, for the values of packages center and awsnames. Each value
// has one, so that the catalogues can have its translation.

var textPrerequisites = map[center.Prerequisite]string{
	center.PrerequisiteInstance:     "An organization instance that is connected to an external identity provider",
	center.PrerequisiteKey:          "A multi-Region customer managed KMS key, with a replica key in the Region to add",
	center.PrerequisiteApplications: "Applications that support customer managed KMS keys",
}

var textUses = map[awsnames.Use]string{
	awsnames.UsePortal:         "Access portal",
	awsnames.UseSignIn:         "Sign-in (ACS)",
	awsnames.UseCommandLine:    "Command line and SDKs",
	awsnames.UseAdministration: "Administration API",
	awsnames.UseProvisioning:   "Provisioning (SCIM)",
}

var textFamilies = map[awsnames.Family]string{
	awsnames.IPv4:      "IPv4",
	awsnames.DualStack: "Dual-stack (IPv4 and IPv6)",
}

// why is a reason in words: why something is refused, and what to do.
type why struct{ Why, Do string }

// textReasons has the reasons because of which a Region can't be added or removed.
var textReasons = map[center.Reason]why{
	center.ReasonAccountInstance: {
		"This is an account instance. Account instances stay in one Region.",
		"Enable an organization instance in the management account."},
	center.ReasonActiveDirectory: {"The identity source is Active Directory, which additional Regions don't support.",
		"Change the identity source to an external identity provider."},
	center.ReasonOwnDirectory: {
		"The identity source is the instance's own directory, which additional Regions don't support.",
		"Change the identity source to an external identity provider."},
	center.ReasonOptInRegion: {
		"Accounts must opt in to this Region. Only Regions that are enabled by default are supported.",
		"Choose one of the listed Regions."},
	center.ReasonUnsupportedRegion: {"This is no commercial Region that is enabled by default.",
		"Choose one of the listed Regions."},
	center.ReasonResidency: {"Your organization's policy doesn't let identity data be stored in this Region.",
		"Choose a Region that the policy allows."},
	center.ReasonKeyType: {"Identity data is not encrypted with a customer managed key that is enabled.",
		"Create a multi-Region customer managed KMS key, and select it in the settings of the instance."},
	center.ReasonSingleRegionKey: {"The key of the instance is a single-Region key, and can't be replicated.",
		"Create a multi-Region key (its ID begins with mrk-), and select it in the settings of the instance. " +
			"A single-Region key can't be changed into one."},
	center.ReasonKeyReplica: {
		"The key of the instance has no replica that can be used in this Region.",
		"In the management account, create a replica key in this Region, enable it, and let its policy allow the instance."},
	center.ReasonApplications: {"These applications prevent it.",
		"Remove them, or replace them by applications that support it."},
	center.ReasonQuota: {"The instance has the maximum number of Regions.",
		"Remove a Region, or have the quota raised."},
	center.ReasonConflict: {"The instance has this Region already, or another Region is being added or removed.",
		"Wait until that has ended."},
	center.ReasonPrimaryFixed: {"This is the primary Region. It is never removed.", "Choose an additional Region."},
	center.ReasonNotFound:     {"The instance has no such Region.", "Compare the name with the list of Regions."},
	center.ReasonCaller: {"The account of this portal may not administer the instance.",
		"Have the owner of the instance delegate its administration to this account."},
	center.ReasonNotPrimary: {"Regions are changed in the primary Region only.", "Open this page there."},
}

// textOther is for errors without a text of their own, such as invalid addresses.
var textOther = why{"The change was refused.", "The log of this Region has the cause."}

// refusal is why something is not possible, as pages show it.
type refusedChange struct {
	why
	Detail string // values, such as the key's ARN or the names of applications; not translated
}

// explain returns the text of an error of package center, or of textOther.
func explain(err error) *refusedChange {
	if err == nil {
		return nil
	}
	out := &refusedChange{why: textOther}
	var e *center.Error
	if !errors.As(err, &e) {
		return out
	}
	if text, ok := textReasons[e.Reason]; ok {
		out.why = text
	}
	out.Detail = e.Got
	if e.Err != nil {
		out.Detail = e.Err.Error()
	}
	return out
}
