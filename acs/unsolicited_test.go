package acs_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

func TestD08_D47_Refuse(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1")
	a := w.good(usACS, "")
	for range 2 { // and it is not remembered
		v := w.refused(w.browser().answer(us, a, "/a"), http.StatusForbidden, acs.ReasonUnsolicited)
		require.Equal(t, acs.FlowIdP, v.Flow)
		require.Equal(t, "alice@example.com", v.NameID)
	}
	require.Zero(t, w.loginCount())
}

// Obligations: IIP-SSO01.
func TestD47_Accept(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept)
	l := w.accepted(w.browser().answer(us, w.good(usACS, ""), "/a"))
	require.True(t, l.Unsolicited)
	require.Empty(t, l.RequestID)
	require.Equal(t, "/a", l.ReturnTo)
	require.Equal(t, acs.FlowIdP, w.lastVerdict().Flow)
}

// With Restart an unsolicited assertion is dropped; the sign-in that follows is this browser's own, and leads to the
// place that the tile names.
func TestD47_Restart(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1", restart), w.browser()
	a := w.good(usACS, "")
	rec := b.answer(us, a, "/a?b=c")
	require.Equal(t, http.StatusSeeOther, rec.Code)
	v := w.lastVerdict()
	require.Equal(t, string(acs.ReasonRestarted), v.Reason)
	require.False(t, v.Accepted)
	require.Equal(t, "restarted", w.logged(v.Reference)["verdict"])
	require.Equal(t, "INFO", w.logged(v.Reference)["level"])
	require.Zero(t, w.loginCount())

	req := w.redirected(rec)
	require.Equal(t, usACS, req.acs)
	l := w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState))
	require.Equal(t, "/a?b=c", l.ReturnTo)
	require.False(t, l.Unsolicited)
	require.True(t, l.Restarted)

	req = b.login(us, usACS, "")
	require.False(t, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).Restarted)
}

// Restart is at the URL that received the assertion, not at the Region's first.
func TestRestartStaysAtTheSameURL(t *testing.T) {
	w := newWorld(t)
	eu, b := w.region("eu-central-1", restart), w.browser()
	require.Equal(t, euDual, w.redirected(b.answer(eu, w.good(euDual, ""), "https://evil.example")).acs)
}

// An identity provider that never answers requests would cause an endless loop.
func TestRestartIsBounded(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1", restart), w.browser()
	for range 3 {
		require.Equal(t, http.StatusSeeOther, b.answer(us, w.good(usACS, ""), "").Code)
		w.clock.Advance(time.Second)
	}
	v := w.refused(b.answer(us, w.good(usACS, ""), ""), http.StatusForbidden, acs.ReasonUnsolicited)
	require.Contains(t, v.Detail, "led back here")
	w.clock.Advance(2 * time.Minute)
	require.Equal(t, http.StatusSeeOther, b.answer(us, w.good(usACS, ""), "").Code)
}
