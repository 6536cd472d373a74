package awsnames_test

import (
	"fmt"

	"github.com/meridian-saml/meridian/portal/awsnames"
)

func Example() {
	i := awsnames.Instance{
		Primary:    "us-east-1",
		InstanceID: "ssoins-7223aaaabbbbcccc",
		Alias:      "example",
		TenantID:   "4455422d84a27c9f",
	}
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		portals, err := i.PortalURLs(region)
		if err != nil {
			fmt.Println(err)
			return
		}
		acs, err := i.ACSURLs(region)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, url := range append(portals, acs...) {
			fmt.Println(url)
		}
	}
	// Output:
	// https://ssoins-7223aaaabbbbcccc.us-east-1.portal.amazonaws.com
	// https://ssoins-7223aaaabbbbcccc.portal.us-east-1.app.aws
	// https://example.awsapps.com/start
	// https://us-east-1.signin.aws/platform/saml/acs/4455422d84a27c9f
	// https://us-east-1.sso.signin.aws/platform/saml/acs/4455422d84a27c9f
	// https://ssoins-7223aaaabbbbcccc.eu-central-1.portal.amazonaws.com
	// https://ssoins-7223aaaabbbbcccc.portal.eu-central-1.app.aws
	// https://eu-central-1.signin.aws/platform/saml/acs/4455422d84a27c9f
	// https://eu-central-1.sso.signin.aws/platform/saml/acs/4455422d84a27c9f
}
