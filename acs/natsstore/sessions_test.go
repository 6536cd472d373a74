package natsstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/internal/testserver"
	"github.com/meridian-saml/meridian/acs/natsstore"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

// Two nodes, in two Regions, share a server.
func TestSessions(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	js := []jetstream.JetStream{n.JetStream(0), n.JetStream(0)}
	count := 0
	sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
		count++
		open := func(node int, region string) sessionstest.Region {
			cfg := natsstore.Config{JetStream: js[node], Prefix: fmt.Sprint("suite-", count), Timeout: time.Minute}
			s, err := natsstore.NewSessions(t.Context(), cfg, region)
			require.NoError(t, err)
			return sessionstest.Region{Name: region, Store: s}
		}
		return []sessionstest.Region{open(0, "us-east-1"), open(1, "eu-central-1")}
	}, sessionstest.Options{})
}

// While the server is down, no session is found, and the error is not ErrNoSession.
func TestSessionsFailClosed(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	s, err := natsstore.NewSessions(t.Context(), natsstore.Config{JetStream: n.JetStream(0)}, "")
	require.NoError(t, err)
	now := time.Now()
	one := sessions.Session{ID: "1", UserID: "u", SignIn: "s", Created: now, Seen: now, Expires: now.Add(time.Hour)}
	require.NoError(t, s.Create(t.Context(), "1", one))
	require.NoError(t, s.EndSignIn(t.Context(), "u", "other", now.Add(time.Hour)))
	_, err = s.Get(t.Context(), "1")
	require.NoError(t, err)
	n.Kill(0)
	_, err = s.Get(t.Context(), "1")
	requireReason(t, natsstore.ReasonUnavailable, err)
	require.NotErrorIs(t, err, sessions.ErrNoSession)

	n.Start() // a restart loses nothing
	again := func() bool { _, err := s.Get(t.Context(), "1"); return err == nil }
	require.Eventually(t, again, time.Minute, 10*time.Millisecond)
}
