package portal_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// G18, G29: a LogoutRequest of the identity provider ends the sessions of both Regions, and no others.
func TestInvariant19_LogoutOfTheIdPEndsSessionsOfAllRegions(t *testing.T) {
	w, _ := newLogoutWorld(t, nil)
	here, there, other := w.browser(), w.browser(), w.browser()
	requirePage(t, w.assertionFor(here, virginia, "alice@example.com", "s1", "s1b")(), 200, "/", "Alice Adams")
	requirePage(t, w.assertionFor(there, frankfurt, "alice@example.com", "s2")(), 200, "/", "Alice Adams")
	requirePage(t, w.assertionFor(other, frankfurt, "bob@example.com", "s3")(), 200, "/", "bob@example.com")
	signedIn := func(b *browser, host string) bool {
		b.Stay = func(to *url.URL) bool { return to.Path == "/login" }
		return b.click("https://"+host+"/applications").StatusCode == 200
	}
	w.clock.Advance(time.Second)
	assert.Equal(t, []string{"Success"}, w.logOut(w.browser(), logoutRequest{indexes: []string{"none"}}))
	assert.True(t, signedIn(here, virginia), "another SessionIndex")
	assert.Equal(t, []string{"Success"}, w.logOut(w.browser(), logoutRequest{indexes: []string{"s1b"}}))
	assert.False(t, signedIn(here, virginia), "any SessionIndex of the assertion")
	assert.True(t, signedIn(there, frankfurt))
	assert.Equal(t, []string{"Success"}, w.logOut(w.browser(), logoutRequest{}))
	assert.False(t, signedIn(there, frankfurt), "all sessions of the user")
	assert.True(t, signedIn(other, frankfurt), "another user")
	assert.Contains(t, w.logged(), "signed out by the identity provider")
}

// G28: an assertion that arrives after the LogoutRequest that names it is refused in every Region, and doesn't end what
// the browser has. The controls are let in.
func TestInvariant19_LateAssertionIsRefusedInEveryRegion(t *testing.T) {
	for _, host := range regionHosts {
		w, _ := newLogoutWorld(t, nil)
		begin := func(login, index string) func() answer {
			return w.assertionFor(w.browser(), host, login, index)
		}
		refused := func(what string, a answer) {
			t.Helper()
			assert.Equal(t, 403, a.StatusCode, what)
			assert.Contains(t, a.body, "You signed out at your identity provider", what)
			assert.Equal(t, portal.ReasonLoggedOut, w.lastSignIn().Reason, what)
		}
		b := w.browser()
		before := w.assertionFor(b, host, "alice@example.com", "s1")
		kept := w.assertionFor(b, host, "alice@example.com", "s2")
		requirePage(t, kept(), 200, "/", "Alice Adams")
		w.clock.Advance(61 * time.Second) // until then the browser's tabs share that session
		end := w.clock.Now().Add(5 * time.Minute)
		s1 := logoutRequest{notOnOrAfter: end, indexes: []string{"s1"}}
		require.Equal(t, []string{"Success"}, w.logOut(w.browser(), s1))
		refused("issued before", before())
		requirePage(t, b.click("https://"+host+"/"), 200, "/", "Alice Adams")
		w.clock.Advance(time.Minute)
		refused("issued after, with the SessionIndex", begin("alice@example.com", "s1")())
		requirePage(t, begin("alice@example.com", "s4")(), 200, "/", "Alice Adams")
		requirePage(t, begin("bob@example.com", "s1")(), 200, "/", "bob@example.com")

		w.clock.Advance(2 * time.Second)
		before = begin("alice@example.com", "s5")
		w.clock.Advance(2 * time.Second)
		require.Equal(t, []string{"Success"}, w.logOut(w.browser(), logoutRequest{notOnOrAfter: end}))
		refused("without SessionIndexes, issued before", before())
		w.clock.Advance(2 * time.Second)
		requirePage(t, begin("alice@example.com", "s6")(), 200, "/", "Alice Adams")

		w.clock.Set(end)
		requirePage(t, begin("alice@example.com", "s1")(), 200, "/", "Alice Adams")
	}
}

// An identity provider that names one of a browser's sessions ends all of the user's, if it is configured so, and no
// others. The assertion that it names stays refused, whenever it was issued, and a fresh one is let in.
func TestLogoutEndsAll(t *testing.T) {
	idp, err := saml.ParseIdPMetadata(worldWithIdP(t).idp.Metadata("")) // the same in each world
	require.NoError(t, err)
	for _, all := range []bool{false, true} {
		w, _ := newLogoutWorld(t, func(c *portal.Config) {
			c.LogoutEndsAll = []string{"https://another.example"}
			if all {
				c.LogoutEndsAll = append(c.LogoutEndsAll, idp.EntityID())
			}
		})
		first, second, other := w.browser(), w.browser(), w.browser()
		requirePage(t, w.assertionFor(first, virginia, "alice@example.com", "s1")(), 200, "/", "Alice Adams")
		requirePage(t, w.assertionFor(second, frankfurt, "alice@example.com", "s2")(), 200, "/", "Alice Adams")
		requirePage(t, w.assertionFor(other, frankfurt, "bob@example.com", "s1")(), 200, "/", "bob@example.com")
		late := w.assertionFor(w.browser(), frankfurt, "alice@example.com", "s3")
		w.clock.Advance(2 * time.Second)
		end := w.clock.Now().Add(5 * time.Minute)
		in := logoutRequest{notOnOrAfter: end, indexes: []string{"s2"}}
		require.Equal(t, []string{"Success"}, w.logOut(w.browser(), in))
		alive := func(b *browser, host string) bool {
			b.Stay = func(to *url.URL) bool { return to.Path == "/login" }
			return b.click("https://"+host+"/applications").StatusCode == 200
		}
		assert.False(t, alive(second, frankfurt), "the one that is named")
		assert.Equal(t, !all, alive(first, virginia), "another of the user's")
		assert.True(t, alive(other, frankfurt), "another user's")
		assert.Equal(t, !all, late().StatusCode == 200, "an assertion issued before")
		w.clock.Advance(time.Minute)
		assert.Equal(t, 403, w.assertionFor(w.browser(), virginia, "alice@example.com", "s2")().StatusCode,
			"a later assertion of the named session")
		requirePage(t, w.assertionFor(w.browser(), virginia, "alice@example.com", "s4")(), 200, "/", "Alice Adams")
	}
}

// A logout that arrives while the session is being written is the reason too, and not a revocation.
func TestLogoutWhileTheSessionBegins(t *testing.T) {
	race := &loggedOutAtCreate{}
	w, _ := newLogoutWorld(t, func(c *portal.Config) {
		if race.Store == nil {
			race.Store = c.Sessions
		}
		c.Sessions = race
	})
	a := w.assertionFor(w.browser(), virginia, "alice@example.com", "s1")()
	assert.Equal(t, 403, a.StatusCode)
	assert.Equal(t, portal.ReasonLoggedOut, w.lastSignIn().Reason)
}

// loggedOutAtCreate ends each new session's subject before it is written.
type loggedOutAtCreate struct{ sessions.Store }

func (l *loggedOutAtCreate) Create(ctx context.Context, key string, s sessions.Session) error {
	out := sessions.Logout{Subject: s.Proof.Subject, Issued: s.Proof.Issued, Until: s.Expires}
	if _, err := l.EndSubject(ctx, out); err != nil {
		return err
	}
	return l.Store.Create(ctx, key, s)
}

// G29: the answer is PartialLogout if a Region may not know, or if sessions don't have the NameID.
func TestPartialLogoutWhereARegionIsBehind(t *testing.T) {
	peers := &heard{}
	w, _ := newLogoutWorld(t, func(c *portal.Config) { c.Replication = peers })
	out := func() []string { return w.logOut(w.browser(), logoutRequest{}) }
	for state, want := range map[portal.PeerState][]string{
		portal.PeerReplicated:   {"Success"},
		portal.PeerReplicating:  {"Success", "PartialLogout"},
		portal.PeerUnreachable:  {"Success", "PartialLogout"},
		portal.PeerDamaged:      {"Success", "PartialLogout"},
		portal.PeerIncompatible: {"Success", "PartialLogout"},
	} {
		peers.set(portal.Peer{Region: "us-east-1", State: state}, portal.Peer{Region: "eu-central-1", State: state})
		assert.Equal(t, want, out(), state)
	}
	peers.set()
	assert.Equal(t, []string{"Success", "PartialLogout"}, out(), "a Region that is not known to the replication")
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, primary.Update(func(tx *center.Tx) error {
		return tx.PutRegion(center.Region{Name: "ap-south-1", Status: center.RegionAdding})
	}))
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerReplicated},
		portal.Peer{Region: "eu-central-1", State: portal.PeerReplicated})
	assert.Equal(t, []string{"Success"}, out(), "no sessions begin in a Region that is being added")
	long := make([]byte, 6<<10)
	for i := range long {
		long[i] = 'x'
	}
	assert.Equal(t, []string{"Success", "PartialLogout"}, w.logOut(w.browser(), logoutRequest{nameID: string(long)}))
}

// A logout is remembered until no session that it ends can be alive.
func TestLogoutIsRememberedLongEnough(t *testing.T) {
	seen := &seenLogouts{}
	w, _ := newLogoutWorld(t, func(c *portal.Config) {
		if seen.Store == nil {
			seen.Store = c.Sessions
		}
		c.Sessions, c.SessionLifetime = seen, 3*time.Hour
	})
	end := w.clock.Now().Add(20 * time.Minute)
	require.Equal(t, []string{"Success"}, w.logOut(w.browser(), logoutRequest{notOnOrAfter: end}))
	require.Len(t, seen.all, 1)
	// An assertion of that instant is accepted MaxAge (1 h) + Skew later, and then 5 min may pass before its session.
	assert.WithinRange(t, seen.all[0].Until, end.Add(4*time.Hour+2*3*time.Minute+5*time.Minute), end.Add(6*time.Hour))
	assert.WithinDuration(t, end, seen.all[0].NotOnOrAfter, time.Second)
}

type seenLogouts struct {
	sessions.Store
	all []sessions.Logout
}

func (s *seenLogouts) EndSubject(ctx context.Context, l sessions.Logout) ([]sessions.Session, error) {
	s.all = append(s.all, l)
	return s.Store.EndSubject(ctx, l)
}

// If the store fails, the identity provider gets no success, and can send the request again.
func TestLogoutWithAFailingStore(t *testing.T) {
	failing := &failingLogout{}
	w, _ := newLogoutWorld(t, func(c *portal.Config) {
		if failing.Store == nil {
			failing.Store = c.Sessions
		}
		c.Sessions = failing
	})
	status := w.logOut(w.browser(), logoutRequest{})
	require.Len(t, status, 2)
	assert.Contains(t, status[1], "<title>")
	assert.NotContains(t, status[1], "Success")
	assert.Contains(t, w.logged(), errDown.Error())
}

type failingLogout struct{ sessions.Store }

func (failingLogout) EndSubject(context.Context, sessions.Logout) ([]sessions.Session, error) {
	return nil, errDown
}
