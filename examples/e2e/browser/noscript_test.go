package browser_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// issuer issues the same credentials for every role.
type issuer map[string]string

func (i issuer) Environment(context.Context, center.User, center.Role, map[string]string) (
	map[string]string, time.Time, error) {
	return i, time.Now().Add(time.Hour), nil
}

// testFindsWithoutScript searches, turns a page, marks a favorite, follows an action and gets access keys, with Tab,
// Enter and letters, in a browser that runs no script.
func testFindsWithoutScript(t *testing.T, chromium context.Context) {
	w := newWorldOf(t, nil, func(_ string, d *center.Data) {
		for i := range 22 {
			id := fmt.Sprintf("3000000000%02d", i)
			d.Accounts = append(d.Accounts, center.Account{ID: id, Name: fmt.Sprintf("Team %02d", i)})
			d.Assignments = append(d.Assignments, center.Assignment{
				Principal: center.GroupPrincipal("Engineers"), AccountID: id, PermissionSet: "ReadOnlyAccess",
			})
		}
	}, func(c *portal.Config) {
		origin := strings.TrimSuffix(c.Directory.Regions()[0].PortalURLs[0], "/")
		c.Credentials = issuer{"AWS_ACCESS_KEY_ID": "ASIAEXAMPLE"}
		c.Actions = []portal.Action{{URL: origin + "/sessions?account={account_id}"}}
	})
	b := newTab(t, chromium)
	b.withoutScript()
	home := w.portals[virginia] + "/"
	b.open(home)
	b.signInAtIdP(w, alice)
	b.reads("Signing in to " + samlTile)
	b.follow("Continue")
	b.arrived(w, virginia, "Alice Adams", acs.FlowSP)

	b.reads("1 to 20 of 25")
	b.follow("Next")
	b.at(home + "?page=2")
	b.reads("21 to 25 of 25")
	b.tabTo("q")
	b.press("m 07\r")
	b.at(home + "?q=m+07")
	b.reads("1 account, 0 applications")
	b.follow("ReadOnlyAccess in Team 07")
	role := home + "accounts/300000000007/ReadOnlyAccess"
	b.at(role)
	b.follow("Favorite: ReadOnlyAccess")
	b.until(`document.querySelector(".star").getAttribute("aria-pressed") === "true"`)
	b.follow("Show access keys")
	b.at(role + "/keys")
	b.reads("Everyone who has these keys can act as you")
	require.Contains(t, onPage[string](b, `document.getElementById("keys-posix").value`), "ASIAEXAMPLE")
	b.follow("Back to the permission set")
	b.at(role)
	b.follow("Management console")
	b.at(home + "sessions?account=300000000007")
	b.open(home)
	b.reads("Favorites ReadOnlyAccess Team 07")
	b.follow("Alice Adams")
	b.follow("Sign out")
	b.at(home + "signed-out")
}
