package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
)

// A user signs out at the identity provider while the Regions don't reach each other. The session in the Region of the
// logout URL ends at once, and the identity provider learns that another may live on. The other session ends when the
// Regions reach each other again. Assertions of before are then refused in both Regions, and a new sign-in works.
func TestInvariant19_LogoutDuringAPartition(t *testing.T) {
	w := newTestWorld(t, extended)
	k := newTestWalker(w)
	first, other := w.sites[0], w.newRegion()
	b, err := k.followLink(first, other)
	require.NoError(t, err)
	tab := func(s *site) (*testkit.Browser, *testkit.Page, testkit.Form) {
		c := k.browser() // with the session at the identity provider, and none here
		c.Jar = b.Jar.Copy()
		for _, s := range w.sites {
			delete(c.Jar, strings.TrimPrefix(s.url, "http://"))
			delete(c.Jar, s.Host())
		}
		p, f, err := k.begin(s)(c)
		require.NoError(t, err)
		return c, p, f
	}
	lateThere, pageThere, formThere := tab(other)
	lateHere, pageHere, formHere := tab(first)

	first.running().RemovePeer(other.Name)
	other.running().RemovePeer(first.Name)
	p, err := b.Open(w.idp.DashboardURL())
	require.NoError(t, err)
	for _, action := range []string{"/login/signout", "/login/logout"} {
		p, err = k.submit(b, p, action)
		require.NoError(t, err)
	}
	assert.Contains(t, p.Text(), "PartialLogout")
	require.NoError(t, k.ended(b, first))
	p, err = b.Copy().Look(other.url + portal.PathSessions)
	require.NoError(t, err)
	assert.Equal(t, 200, p.Status, "%s doesn't know", other.Name)
	refused := func(s *site, c *testkit.Browser, p *testkit.Page, f testkit.Form) {
		t.Helper()
		mark := w.signIns.mark()
		q, err := c.Submit(p, f, nil)
		require.NoError(t, err)
		_, err = k.refused(mark, s, q, string(portal.ReasonLoggedOut))
		require.NoError(t, err)
	}
	refused(first, lateHere, pageHere, formHere)

	require.NoError(t, first.running().Follow(t.Context(), other.Name, other.replica()))
	require.NoError(t, other.running().Follow(t.Context(), first.Name, first.replica()))
	require.NoError(t, k.ended(b, other))
	refused(other, lateThere, pageThere, formThere)
	signedIn := k.signsIn(first) == nil && k.signsIn(other) == nil
	require.NoError(t, check.That("a new sign-in", signedIn, "a session", "none"))
}
