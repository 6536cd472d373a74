package portal_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// wide is a Directory with the accounts of another one.
type wide struct {
	portal.Directory
	accounts *center.Snapshot
}

func (d wide) AccountSets(user string) []center.AccountSets { return d.accounts.AccountSets(user) }

func (d wide) PermissionSet(name string) (center.PermissionSet, bool) {
	return d.accounts.PermissionSet(name)
}

func (d wide) RoleOf(user, account, set string) (center.Role, bool) {
	return d.accounts.RoleOf(user, account, set)
}

// A user finds an account among 250 by keyboard alone, marks a favorite, and sees it on the home page.
func TestRealBrowserFinds(t *testing.T) {
	inst, err := center.New(many())
	require.NoError(t, err)
	s := newSite(t, func(c *portal.Config) {
		c.Directory = wide{c.Directory, inst.Snapshot()}
		c.Actions = []portal.Action{{URL: "https://console.example/?account={account_id}&role={role_name}"}}
		c.Credentials = &issuer{vars: map[string]string{"AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SESSION_TOKEN": "token"}}
		c.SessionLifetime = time.Hour
	}, nil)
	b, home := newTab(t), s.portals["us-east-1"]+"/"
	b.open(home)
	b.until(`document.activeElement.id === "username"`)
	b.do(chromedp.KeyEvent("alice@example.com" + kb.Tab + "open-sesame" + kb.Enter))
	b.at(home)
	b.reads("1 to 20 of 250", "Next")
	b.fits("find-home")

	b.do(chromedp.Focus("#q"), chromedp.KeyEvent("pay"+kb.Enter))
	b.at(home + "?q=pay")
	b.until(`document.querySelector("details.account[open] strong").innerText === "Payments"`)
	b.reads("2 accounts, 0 applications")
	b.fits("find-pay")
	b.click("details.account[open] li a")
	b.reads("Management console", "Show access keys", "Link to this permission set")
	b.fits("find-role")
	b.click("button.star")
	b.until(`document.querySelector(".star").getAttribute("aria-pressed") === "true"`)
	b.click(`form[action$="/keys"] button`)
	b.reads("Everyone who has these keys can act as you")
	b.fits("find-keys")

	b.open(s.portals["us-east-1"] + "/applications")
	b.click("button.star")
	b.until(`document.querySelector(".star").getAttribute("aria-pressed") === "true"`)
	s.peers["us-east-1"].set(portal.Peer{Region: "eu-central-1", State: portal.PeerUnreachable, Heard: time.Now()})
	b.open(s.portals["us-east-1"] + "/applications")
	b.reads("This application may not open.")
	b.fits("find-applications-lost")
	b.open(home)
	b.reads("Favorites", "Admin-00", "Payments", "Farm", "It may not open.")
	b.fits("find-favorites")
	b.open(s.portals["us-east-1"] + "/accounts/" + many().Accounts[123].ID)
	b.reads("Payments", "ReadOnly-02")
	b.fits("find-account")
	b.open(s.portals["us-east-1"] + "/sessions")
	b.reads("Chrome on Linux", "127.0.0.1")
	b.fits("find-sessions")
}
