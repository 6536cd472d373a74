package natsstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
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
			cfg := natsstore.Config{InsecurePlaintext: true,
				JetStream: js[node], Prefix: fmt.Sprint("suite-", count), Timeout: time.Minute}
			s, err := natsstore.NewSessions(t.Context(), cfg, region)
			require.NoError(t, err)
			return sessionstest.Region{Name: region, Store: s}
		}
		return []sessionstest.Region{open(0, "us-east-1"), open(1, "eu-central-1")}
	}, sessionstest.Options{})
}

// A session that was ended stays ended, also if other nodes of a cluster write at the same instant when it was last
// used. Ending one that isn't there stores nothing.
func TestEndDuringTouch(t *testing.T) {
	n := testserver.StartNATS(t, 3)
	var nodes []sessions.Store
	for i := range 2 {
		cfg := natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(i), Timeout: time.Minute, Replicas: 3}
		s, err := natsstore.NewSessions(t.Context(), cfg, "")
		require.NoError(t, err)
		nodes = append(nodes, s)
	}
	now := time.Now()
	for i := range 50 {
		key := fmt.Sprint("k", i)
		one := sessions.Session{ID: key, UserID: key, SignIn: "s", Created: now, Seen: now, Expires: now.Add(time.Hour)}
		require.NoError(t, nodes[0].Create(t.Context(), key, one))
		_, err := nodes[1].Get(t.Context(), key) // the control
		require.NoError(t, err)
		var all sync.WaitGroup
		for j := range 3 {
			all.Go(func() { _ = nodes[j%2].Touch(t.Context(), key, now.Add(time.Duration(j+1)*time.Minute)) })
		}
		all.Go(func() { assert.NoError(t, nodes[1].End(t.Context(), key)) })
		all.Wait()
		_, err = nodes[0].Get(t.Context(), key)
		require.ErrorIs(t, err, sessions.ErrNoSession)
	}

	stream, err := n.JetStream(0).Stream(t.Context(), "meridian_sessions")
	require.NoError(t, err)
	subjects := func() map[string]uint64 {
		info, err := stream.Info(t.Context(), jetstream.WithSubjectFilter(">"))
		require.NoError(t, err)
		return info.State.Subjects
	}
	before := subjects()
	require.NotEmpty(t, before)
	require.NoError(t, nodes[0].End(t.Context(), "none"))
	for subject := range subjects() {
		require.NotZero(t, before[subject], subject)
	}
}

// While the server is down, no session is found, and the error is not ErrNoSession.
func TestSessionsFailClosed(t *testing.T) {
	n := testserver.StartNATS(t, 1)
	s, err := natsstore.NewSessions(t.Context(), natsstore.Config{InsecurePlaintext: true, JetStream: n.JetStream(0)}, "")
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
