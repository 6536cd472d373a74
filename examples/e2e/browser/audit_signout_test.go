package browser_test

import (
	"context"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
)

// lostRegion is a Replication that doesn't reach Frankfurt.
type lostRegion struct{}

func (lostRegion) Peers() []portal.Peer {
	return []portal.Peer{
		{Region: virginia, State: portal.PeerReplicated, Heard: time.Now()},
		{Region: frankfurt, State: portal.PeerUnreachable, Heard: time.Now().Add(-time.Minute)},
	}
}

// testAuditSignOut is about the pages of a sign-out from the portal, and at the identity provider after that.
func testAuditSignOut(t *testing.T, chromium context.Context) {
	shared := sessions.NewMemoryStore(sessions.MemoryConfig{})
	w := newLogoutWorld(t, func(c *portal.Config) { c.Sessions, c.Replication = shared, lostRegion{} })
	b := openTab(t, chromium)
	b.open(w.portals[frankfurt] + "/")
	b.signInAtIdP(w, alice)
	b.arrived(w, frankfurt, "Alice Adams", acs.FlowSP)
	b.open(w.portals[virginia] + "/")
	b.arrived(w, virginia, "Alice Adams", acs.FlowSP)
	b.open(w.portals[virginia] + portal.PathSessions)
	b.click(`a[href="/sessions/end-all"]`)
	b.reads("Sign out everywhere?", "is not reached now")
	b.audit("portal-everywhere")
	b.click(`form[action="/sessions/end-all"] button`)
	b.at(w.portals[virginia] + "/signed-out")
	b.reads("has ended in", "was not reached", "You are still signed in at")
	b.audit("portal-signed-out-offer")
	b.click(`form[action="/sign-out/idp"] button`)
	b.at(w.portals[virginia] + "/signed-out")
	b.reads("has ended its session too")
	b.audit("portal-signed-out-ended")
	b.open(w.portals[virginia] + "/")
	b.signInAtIdP(w, alice) // it asks again
	b.arrived(w, virginia, "Alice Adams", acs.FlowSP)
	b.signOut(w, virginia)
	b.open(w.portals[virginia] + "/login")
	b.arrived(w, virginia, "Alice Adams", acs.FlowSP) // without a question
}
