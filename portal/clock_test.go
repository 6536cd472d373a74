package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
)

// A clock that is ten minutes ahead refuses every sign-in. Neither the other Regions nor assertions
// alone make the Region unhealthy.
func TestHealthOfAWrongClock(t *testing.T) {
	peers := &heard{}
	w := newWorld(t, func(c *portal.Config) {
		c.ProbeEvery = time.Millisecond
		if c.Region == "eu-central-1" {
			c.Replication = peers
		}
	})
	const warning = "the clock may be wrong"
	says := func(ahead ...time.Duration) {
		var all []portal.Peer
		for _, d := range ahead {
			all = append(all, portal.Peer{Region: "us-east-1", State: portal.PeerReplicated, ClockAhead: d, ClockKnown: true})
		}
		peers.set(all...)
	}
	// late begins a sign-in, and returns a function that posts its genuine response.
	late := func() func() int {
		b := w.browser()
		form, err := w.idp.Answer(b.get("https://"+frankfurt+"/").Header.Get("Location"), "alice@example.com")
		require.NoError(t, err)
		return func() int { return b.post(form.URL, form.Values()).StatusCode }
	}
	requireHealth(t, w, 200)

	// Only peers.
	says(-10 * time.Minute)
	require.Eventually(t, func() bool { return strings.Contains(w.logged(), warning) }, time.Minute, time.Millisecond)
	assert.Contains(t, lineWith(w.logged(), warning),
		"other Regions say this clock is 10m0s ahead, verified assertions say nothing")
	requireHealth(t, w, 200)

	// Both.
	one, other := late(), late()
	w.clock.Advance(10 * time.Minute)
	require.Equal(t, http.StatusForbidden, one())
	eventuallyHealth(t, w, 503)
	assert.Contains(t, w.logged(), "verified assertions say this clock is 10m0s ahead")

	// The Region is healthy if the peers disagree with each other, or differ in the other
	// direction.
	says(-10*time.Minute, 0)
	eventuallyHealth(t, w, 200)
	says(10 * time.Minute)
	eventuallyHealth(t, w, 200)
	says(-10 * time.Minute)
	eventuallyHealth(t, w, 503)

	// The clock of a peer that is cut off doesn't count.
	for _, state := range []portal.PeerState{portal.PeerUnreachable, portal.PeerIncompatible} {
		peers.set(portal.Peer{Region: "us-east-1", State: state, ClockAhead: -10 * time.Minute, ClockKnown: true})
		eventuallyHealth(t, w, 200)
		says(-10 * time.Minute)
		eventuallyHealth(t, w, 503)
	}

	// One recent response shows that the others were late and the clock is right. Another late one doesn't change that.
	require.Equal(t, 200, w.signIn(w.browser(), "https://"+frankfurt+"/", "alice@example.com").StatusCode)
	eventuallyHealth(t, w, 200)
	require.Equal(t, http.StatusForbidden, other())
	requireHealth(t, w, 200)
}
