package acs_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// Operators compare clocks by Verdict.Issued, so it is the instant of a verified assertion, accepted or not, and
// of no other. So are its ID and NameID.
func TestIssuedIsOfVerifiedAssertionsAlone(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	issued := func(a answer) time.Time {
		w.from("192.0.2.1:1").answer(us, a, "")
		return w.lastVerdict().Issued
	}
	now := w.clock.Now()
	good := w.good(usACS, "")
	assert.Equal(t, now, issued(good).UTC())
	require.True(t, w.lastVerdict().Accepted)
	assert.Equal(t, now, issued(good).UTC(), "a replay")

	for name, change := range map[string]func(*answer){
		"another audience": func(a *answer) { a.audience = "https://other.example/" },
		"another Region":   func(a *answer) { a.to = euACS },
		"over":             func(a *answer) { a.notOnOrAfter = now.Add(-time.Hour) },
		"in the future":    func(a *answer) { a.issued = now.Add(time.Hour) },
	} {
		a := w.good(usACS, "")
		change(&a)
		assert.Equal(t, a.issued, issued(a).UTC(), name)
		require.False(t, w.lastVerdict().Accepted, name)
		assert.Equal(t, "alice@example.com", w.lastVerdict().NameID, name)
		assert.NotEmpty(t, w.lastVerdict().AssertionID, name)
	}

	w.idp = &fakeIdP{entityID: idpID, key: testkit.RSAKey("forger"), cert: w.idp.cert} // a forger
	for _, at := range []time.Time{now, now.Add(time.Hour), now.Add(-time.Hour)} {
		a := w.good(usACS, "")
		a.issued = at
		assert.Zero(t, issued(a), "signed with another key")
		assert.Empty(t, w.lastVerdict().NameID+w.lastVerdict().AssertionID)
		require.False(t, w.lastVerdict().Accepted)
	}
	assert.Equal(t, http.StatusForbidden, w.from("192.0.2.1:1").answer(us, w.good(usACS, ""), "").Code)
}
