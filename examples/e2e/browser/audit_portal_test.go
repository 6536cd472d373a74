package browser_test

import (
	"context"
	"errors"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsnames"
	"github.com/meridian-saml/meridian/portal/center"
)

// testAuditPortal is about the pages of a portal that has users of several identity providers.
func testAuditPortal(t *testing.T, chromium context.Context) {
	const other = "https://login.other.example/0f3c2b1a-1111-2222-3333-444455556666/saml2/a-long-name-of-a-tenant"
	w := newWorldOf(t, nil, func(idp string, d *center.Data) {
		d.IdentityProviders = []center.IdentityProvider{{EntityID: idp, Name: "Example Corp"}, {EntityID: other}}
		for i := range d.Users {
			d.Users[i].IdentityProvider = idp
		}
		for i := range d.Groups {
			d.Groups[i].IdentityProvider = idp
		}
		d.Users = append(d.Users, center.User{ID: "other-bob", UserName: bob, IdentityProvider: other})
		d.Instance = center.InstanceMetadata{OwnerAccountID: "999999999999", Encryption: center.Encryption{
			KeyType: center.KeyCustomerManaged,
			KeyARN:  "arn:aws:kms:us-east-1:999999999999:key/mrk-0123456789abcdef0123456789abcdef",
		}}
	}, func(c *portal.Config) {
		c.Operator = func(u center.User) bool { return u.ID == alice }
		c.RegionAdmin = regionAdmin(c)
	})
	b := openTab(t, chromium)
	home := w.portals[virginia]
	b.open(home)
	b.signInAtIdP(w, alice)
	b.arrived(w, virginia, "Alice Adams", acs.FlowSP)
	b.click(".who summary")
	b.reads("Example Corp")
	b.audit("portal-provider-accounts")
	b.open(home + portal.PathOperator)
	b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`))
	b.reads("View identity providers", other)
	b.audit("portal-provider-operator")
	for name, path := range map[string]string{
		"add": "add", "question": "add?region=sa-east-1", "page": frankfurt, "remove": frankfurt + "/remove",
		"rotation": virginia + "/rotation", "here": virginia,
	} {
		b.open(home + portal.PathOperator + "/regions/" + path)
		b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("main details")) d.open = true`))
		b.audit("portal-region-" + name)
	}
	b.open(home + portal.PathOperator)
	b.typeIn("#q", bob+"\r")
	b.reads("Bob Berg", "Example Corp", other)
	b.audit("portal-people")
	b.click(`main a[href$="id=other-bob"]`)
	b.reads("Sessions in all Regions", other)
	b.audit("portal-person")
	b.click(`a[href$="end?id=other-bob"]`)
	b.reads("End all sessions of " + bob + "?")
	b.audit("portal-person-end")
	b.click("main form button")
	b.reads("All sessions of " + bob + " were ended here")
	b.signOutAtIdP(w)
	b.dashboard(w, bob)
	b.tile(samlTile)
	b.reads("Continue as Bob Berg?", "The identity provider Example Corp says")
	b.audit("portal-provider-confirm")
}

// regionAdmin lets operators change Regions, of which one more can be added.
func regionAdmin(c *portal.Config) *portal.RegionAdmin {
	return &portal.RegionAdmin{
		Control: &center.Control{View: c.Directory.(*center.View), Admission: center.Admission{
			Key: func(_ context.Context, _, region string) error {
				if region != "sa-east-1" {
					return errors.New("no replica key")
				}
				return nil
			},
		}},
		Account: "999999999999",
		Addresses: func(region string) (r center.Region, err error) {
			names := awsnames.Instance{Primary: virginia, InstanceID: "ssoins-7223aaaabbbbcccc", TenantID: "4455"}
			if r.PortalURLs, err = names.PortalURLs(region); err == nil {
				r.ACSURLs, err = names.ACSURLs(region)
			}
			return r, err
		},
	}
}
