package portal_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/residency"
)

// Rule 72: operators read where data is. For other users, and without a report, there is no such page.
func TestRule72OperatorsReadWhereDataIs(t *testing.T) {
	var broken error
	w := newWorld(t, func(c *portal.Config) {
		bobOperates(c)
		c.Residency = func(context.Context) (residency.Report, error) {
			return residency.New([]residency.Place{{Kind: residency.Users, Region: c.Region, Where: "a stream", Kept: "a day"}}),
				broken
		}
	})
	alice, bob := w.browser(), w.browser()
	const addr = "https://" + virginia + portal.PathResidency
	w.signIn(alice, "https://"+virginia+"/", "alice@example.com")
	requirePage(t, alice.click(addr), http.StatusNotFound, portal.PathResidency, "Not found")
	home := w.signIn(bob, "https://"+virginia+"/operator", "bob@example.com")
	requirePage(t, home, 200, "/operator", "Where data is", `href="/operator/residency"`)
	a := bob.click(addr)
	assert.Equal(t, 200, a.StatusCode)
	assert.Contains(t, a.body, "users  us-east-1  us-east-1  a stream  not sealed    a day")
	broken = errors.New("alice@example.com")
	a = bob.click(addr)
	assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	assert.NotContains(t, a.body, "alice")

	w = newWorld(t, bobOperates)
	bob = w.browser()
	w.signIn(bob, "https://"+virginia+"/operator", "bob@example.com")
	requirePage(t, bob.click(addr), http.StatusNotFound, portal.PathResidency, "Not found")
}
