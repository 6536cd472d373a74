package oidc_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
	"github.com/meridian-saml/meridian/portal/center"
)

// Rule 9: four command lines renew one token at the same time, again and again, and stay signed in.
func TestFourClientsRefreshAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asCLI(virginia))
	token := c.login(w.browser(virginia, "alice@example.com")).text("refreshToken")
	for range 6 {
		replies := make([]reply, 4)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() { replies[i] = c.refresh(token) })
		}
		wg.Wait()
		for _, r := range replies {
			c.must(r)
			assert.True(t, w.isIn(virginia, r.text("accessToken")))
			assert.NotEqual(t, token, r.text("refreshToken"))
		}
		w.clock.Advance(59 * time.Second)
		c.must(c.refresh(token)) // a slow one, within the minute
		token = replies[3].text("refreshToken")
		w.clock.Advance(45 * time.Minute)
	}
}

// A refresh token that is used again after the minute was stolen: the authorization ends.
func TestLateReuseOfARefreshTokenEndsTheAuthorization(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	other := c.login(b)
	first := c.login(b)
	second := c.must(c.refresh(first.text("refreshToken")))
	require.NotEqual(t, first.text("refreshToken"), second.text("refreshToken"))
	w.clock.Advance(61 * time.Second)
	require.True(t, w.isIn(virginia, second.text("accessToken")))
	c.refused(c.refresh(first.text("refreshToken")), 400, "InvalidGrantException")
	assert.False(t, w.isIn(virginia, first.text("accessToken")))
	assert.False(t, w.isIn(virginia, second.text("accessToken")))
	c.refused(c.refresh(second.text("refreshToken")), 400, "InvalidGrantException")
	assert.True(t, w.isIn(virginia, other.text("accessToken")))
	c.must(c.refresh(other.text("refreshToken")))
}

func TestRefreshTokenIsBound(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	r := c.login(b)
	token := r.text("refreshToken")
	thief, there := w.client(virginia, asCLI(virginia)), w.client(frankfurt, asCLI(frankfurt))
	thief.refused(thief.refresh(token), 400, "InvalidGrantException")
	there.refused(there.refresh(token), 400, "InvalidGrantException")
	for _, bad := range []string{"", "aor", "x", token[3:], "aoa" + token[3:], r.text("accessToken"),
		"aor" + r.text("accessToken")[3:], token[:len(token)-2] + "AA"} {
		c.refused(c.refresh(bad), 400, "InvalidGrantException")
	}
	in := fields{"clientId": c.id, "clientSecret": c.secret, "grantType": "refresh_token", "refreshToken": token}
	c.refused(c.post("/token", in.with("scope", []string{"other"})), 400, "InvalidScopeException")
	c.must(c.post("/token", in.with("scope", []string{scope})))
}

// An authorization can't be renewed without end: each time leaves a record.
func TestRefreshesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	r, other := c.login(b), c.login(b)
	for range 60 {
		r = c.must(c.refresh(r.text("refreshToken")))
	}
	c.refused(c.refresh(r.text("refreshToken")), 400, "SlowDownException")
	c.must(c.refresh(other.text("refreshToken")))
	w.clock.Advance(10 * time.Minute)
	c.must(c.refresh(r.text("refreshToken")))
}

// A user can't fill the store with many authorizations either: a full store refuses every user's sign-in.
func TestRefreshesOfAUserAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asCLI(virginia))
	bobs := c.login(w.browser(virginia, "bob@example.com"))
	var one, other reply
	for range 10 {
		b := w.browser(virginia, "alice@example.com")
		one, other = c.login(b), c.login(b)
		for range 60 {
			one = c.must(c.refresh(one.text("refreshToken")))
		}
	}
	c.refused(c.refresh(other.text("refreshToken")), 400, "SlowDownException")
	c.must(c.refresh(bobs.text("refreshToken")))
	w.clock.Advance(10 * time.Minute)
	c.must(c.refresh(other.text("refreshToken")))
	c.must(c.refresh(one.text("refreshToken")))
}

// A store that lost its records can't tell which tokens were used.
func TestRefreshTokenIsOlderThanTheStore(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asCLI(virginia))
	r := c.login(w.browser(virginia, "alice@example.com"))
	w.clock.Advance(time.Minute)
	w.start(virginia, func(c *oidc.Config) { c.Store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now}) })
	c.refused(c.refresh(r.text("refreshToken")), 400, "InvalidGrantException")
	assert.True(t, w.isIn(virginia, r.text("accessToken")), "the access token lives on")
	w.start(virginia, nil)
	c.must(c.refresh(r.text("refreshToken")))
}

// Rule 7: a token lets in in its Region, and never outlives its authorization.
func TestTokensOfARegion(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asCLI(virginia))
	r := c.login(w.browser(virginia, "alice@example.com"))
	assert.True(t, w.isIn(virginia, r.text("accessToken")))
	assert.False(t, w.isIn(frankfurt, r.text("accessToken")))
	for _, bad := range []string{"", "aoa", "x", r.text("refreshToken"), "aoa" + r.text("refreshToken")[3:],
		r.text("accessToken")[3:], r.text("accessToken") + "AAAA"} {
		assert.False(t, w.isIn(virginia, bad))
	}
	w.clock.Advance(time.Hour)
	assert.False(t, w.isIn(virginia, r.text("accessToken")))
	w.clock.Advance(6*time.Hour + 30*time.Minute) // the browser's session is idle
	late := c.must(c.refresh(r.text("refreshToken")))
	assert.InDelta(t, 1800, late.Body["expiresIn"], 5, "until the end of the authorization")
	w.clock.Advance(29 * time.Minute)
	assert.True(t, w.isIn(virginia, late.text("accessToken")))
	w.clock.Advance(time.Minute)
	assert.False(t, w.isIn(virginia, late.text("accessToken")))
	c.refused(c.refresh(late.text("refreshToken")), 400, "InvalidGrantException")
}

func TestGrantSaysWhenTheTokenExpires(t *testing.T) {
	w := newWorld(t, nil)
	r := w.client(virginia, asCLI(virginia)).login(w.browser(virginia, "alice@example.com"))
	g, err := w.servers[virginia].Grant(t.Context(), r.text("accessToken"))
	require.NoError(t, err)
	assert.WithinDuration(t, w.clock.Now().Add(time.Hour), g.Expires, time.Second)
}

// Rule 8: a Region that was removed lets no program in. While it is being removed, what lives there goes on.
func TestRegionThatIsRemoved(t *testing.T) {
	w := newWorld(t, nil)
	c, here := w.client(frankfurt, asCLI(frankfurt)), w.client(virginia, asCLI(virginia))
	r := c.login(w.browser(frankfurt, "alice@example.com"))
	mine := here.login(w.browser(virginia, "alice@example.com"))
	require.NoError(t, w.primary.Update(func(tx *center.Tx) error {
		region := w.primary.Regions()[1]
		region.Status = center.RegionRemoving
		return tx.PutRegion(region)
	}))
	assert.True(t, w.isIn(frankfurt, r.text("accessToken")))
	require.NoError(t, w.primary.Update(func(tx *center.Tx) error { return tx.RemoveRegion(frankfurt) }))
	assert.False(t, w.isIn(frankfurt, r.text("accessToken")))
	c.refused(c.refresh(r.text("refreshToken")), 400, "InvalidGrantException")
	c.refused(c.post("/client/register", asCLI(frankfurt)), 400, "InvalidRequestException")
	assert.True(t, w.isIn(virginia, mine.text("accessToken")))
	here.must(here.refresh(mine.text("refreshToken")))
}

func TestTokenLifetime(t *testing.T) {
	w := newWorld(t, func(c *oidc.Config) { c.TokenLifetime = 20 * time.Minute })
	c := w.client(virginia, asCLI(virginia))
	assert.EqualValues(t, 1200, c.login(w.browser(virginia, "alice@example.com")).Body["expiresIn"])
}

// Authorizations are of one Region, and what ends one is replicated.
func TestAuthorizationsEndInEveryRegion(t *testing.T) {
	w := newWorld(t, nil)
	here, there := w.client(virginia, asCLI(virginia)), w.client(frankfurt, asCLI(frankfurt))
	for name, end := range map[string]func(mine reply){
		"sign-out at its own Region": func(r reply) {
			require.NoError(t, w.servers[virginia].EndGrant(t.Context(), r.text("accessToken")))
		},
		"sign-out at the other Region": func(r reply) {
			require.NoError(t, w.servers[frankfurt].EndGrant(t.Context(), r.text("accessToken")))
		},
		"sign-out with an expired token": func(r reply) {
			w.clock.Advance(time.Hour)
			require.NoError(t, w.servers[frankfurt].EndGrant(t.Context(), r.text("accessToken")))
		},
		"revocation": func(reply) { require.NoError(t, w.sessions.RevokeUser(t.Context(), "alice@example.com")) },
		"deactivation": func(reply) {
			for _, inactive := range []bool{true, false} {
				require.NoError(t, w.primary.Update(func(tx *center.Tx) error {
					return tx.PutUser(center.User{UserName: "alice@example.com", Inactive: inactive})
				}))
				_, err := w.servers[virginia].Grant(t.Context(), "")
				require.Error(t, err)
				if inactive {
					require.NoError(t, w.sessions.RevokeUser(t.Context(), "alice@example.com"))
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			mine := here.login(w.browser(virginia, "alice@example.com"))
			bobs := there.login(w.browser(frankfurt, "bob@example.com"))
			require.True(t, w.isIn(virginia, mine.text("accessToken")))
			end(mine)
			assert.False(t, w.isIn(virginia, mine.text("accessToken")))
			here.refused(here.refresh(mine.text("refreshToken")), 400, "InvalidGrantException")
			there.must(there.refresh(bobs.text("refreshToken")))
		})
	}
}

func TestInactiveUserHasNoGrant(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asCLI(virginia))
	r := c.login(w.browser(virginia, "alice@example.com"))
	require.NoError(t, w.primary.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{UserName: "alice@example.com", Inactive: true})
	}))
	assert.False(t, w.isIn(virginia, r.text("accessToken")))
	c.refused(c.refresh(r.text("refreshToken")), 400, "InvalidGrantException")
}

func TestEndGrant(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(virginia, asCLI(virginia))
	r := c.login(w.browser(virginia, "alice@example.com"))
	for _, bad := range []string{"", "x", "aoax", r.text("refreshToken")} {
		var e *awsapi.Error
		require.ErrorAs(t, w.servers[virginia].EndGrant(t.Context(), bad), &e)
		assert.Equal(t, awsapi.ReasonNoGrant, e.Reason)
	}
	assert.True(t, w.isIn(virginia, r.text("accessToken")))
	for range 2 { // a second sign-out is no error
		require.NoError(t, w.servers[frankfurt].EndGrant(t.Context(), r.text("accessToken")))
	}
	assert.False(t, w.isIn(virginia, r.text("accessToken")))
}
