package portal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsnames"
	"github.com/meridian-saml/meridian/portal/center"
)

// An operator adds a Region and removes one with the keyboard alone. No page scrolls sideways, light or dark.
func TestRegionsAreChangedByKeyboardInChromium(t *testing.T) {
	var primary *center.View
	update := func(change func(*center.Tx) error) { require.NoError(t, primary.Update(change)) }
	names := awsnames.Instance{Primary: "us-east-1", InstanceID: "ssoins-7223aaaabbbbcccc", TenantID: "4455"}
	s, b := newSite(t, func(c *portal.Config) {
		if c.Region != "us-east-1" {
			return
		}
		primary = c.Directory.(*center.View)
		update(func(tx *center.Tx) error { return tx.ActivateRegion("ap-northeast-1") })
		c.RegionAdmin = &portal.RegionAdmin{
			Control: &center.Control{View: primary, Admission: center.Admission{
				Key: func(_ context.Context, _, region string) error {
					if region == "eu-west-1" || region == "sa-east-1" {
						return nil
					}
					return errors.New("keys: KMS_NotFoundException")
				},
			}},
			Account: adminAccount,
			Addresses: func(region string) (r center.Region, err error) {
				r.PortalURLs, _ = names.PortalURLs(region)
				r.ACSURLs, err = names.ACSURLs(region)
				return r, err
			},
		}
	}, nil), newTab(t)
	home := s.portals["us-east-1"]
	pages := home + "/operator/regions/"
	b.open(pages + "add")
	b.password()
	b.reads("Not met", "not encrypted with a customer managed key", "No Region can be added until")
	b.look("add-unmet")
	update(func(tx *center.Tx) error {
		return tx.PutInstanceMetadata(center.InstanceMetadata{OwnerAccountID: adminAccount, Encryption: center.Encryption{
			KeyType: center.KeyCustomerManaged, KeyARN: mrk,
		}})
	})
	b.do(chromedp.Focus(`#prerequisites ~ p a`), chromedp.KeyEvent(kb.Enter))
	b.reads("Dublin eu-west-1", "Sao Paulo sa-east-1", "no replica that can be used")
	b.look("add")
	b.do(chromedp.Focus(`input[type=radio]`), chromedp.KeyEvent(kb.ArrowDown))
	b.until(`document.querySelector("input[value=sa-east-1]").checked`)
	b.do(chromedp.KeyEvent(kb.ArrowUp + kb.Enter))
	b.reads("Add Dublin (eu-west-1)?", "https://eu-west-1.signin.aws/platform/saml/acs/4455")
	b.look("confirm")
	b.do(chromedp.Focus(`main form button`), chromedp.KeyEvent(kb.Enter))
	b.until(`location.pathname === "/operator/regions/eu-west-1"`) // its query says when it loaded itself
	s.peers["us-east-1"].set(portal.Peer{
		Region: "eu-west-1", State: portal.PeerReplicating, Heard: time.Now(), Copied: 16, ToCopy: 26,
	})
	b.reads("Replicating to eu-west-1", "16 of 26 elements") // the page loads itself again
	b.look("replicating")
	update(func(tx *center.Tx) error { return tx.ActivateRegion("eu-west-1") })
	s.peers["us-east-1"].set(portal.Peer{Region: "eu-west-1", State: portal.PeerReplicated, Heard: time.Now()})
	b.reads("Status: Replicated ACTIVE", "Remaining tasks at the identity provider")
	b.do(chromedp.Focus(`.checklist summary`), chromedp.KeyEvent(kb.Enter))
	b.reads("Single sign-on URL", "Index 2")
	b.look("replicated")

	b.open(pages + "eu-central-1/remove")
	b.reads("Remove eu-central-1", "Farm", "They end with it")
	b.do(chromedp.Focus(`#confirm`), chromedp.KeyEvent("eu-central"+kb.Enter))
	b.reads("not the name of the Region")
	b.look("remove")
	b.do(chromedp.Focus(`#confirm`), chromedp.KeyEvent(kb.End+"-1"+kb.Enter))
	b.until(`location.pathname === "/operator/regions/eu-central-1"`)
	b.reads("Status: Removing REMOVING")
	b.look("removing")
	update(func(tx *center.Tx) error { return tx.EndRemoval("eu-central-1") })
	b.reads("This Region is not one of the instance")
	b.look("removed")
}

// look checks a page as fits does, and saves screenshots with dark colors, too.
func (b *tab) look(name string) {
	b.t.Helper()
	b.fits("region-" + name)
	b.scheme("dark")
	defer b.scheme("light")
	if folder := os.Getenv("MERIDIAN_SCREENSHOTS"); folder != "" {
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		require.NoError(b.t, err)
		require.NoError(b.t, os.WriteFile(filepath.Join(folder, "region-"+name+"-dark.png"), png, 0o644))
	}
}

// scheme sets the colors that the user prefers.
func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	require.NoError(b.t, err)
}
