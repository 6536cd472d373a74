package replica_test

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Regions whose versions have no format in common don't follow each other. Each
// says so once and in Peers, and goes on serving. They follow each other again
// when one has been upgraded.
func TestRegionsWithoutAFormatInCommonDontFollowEachOther(t *testing.T) {
	t.Parallel()
	var logs [2]logged
	c := configOf(virginia, t.TempDir())
	c.Logger = slog.New(slog.NewTextHandler(&logs[0], nil))
	replica.Understand(&c, 3, 2, 2)
	us := open(t, c)
	c = configOf(frankfurt, t.TempDir())
	c.Logger = slog.New(slog.NewTextHandler(&logs[1], nil))
	eu := open(t, c)
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	for i, n := range []*replica.Node{us, eu} {
		eventually(t, "a refusal", func() bool { return n.Peers()[0].State == portal.PeerIncompatible })
		eventually(t, "what is said of it",
			func() bool { return logs[i].count("peer not followed") == 1 && logs[i].count("question refused") == 1 })
		assert.Zero(t, n.Peers()[0].Heard)
	}
	signIn(t, us, "u-1", "s-1")
	assert.Nil(t, eu.View())

	eu.Close()
	replica.Understand(&c, 2, 1, 1)
	eu = open(t, c)
	mesh(t, us, eu)
	for _, n := range []*replica.Node{us, eu} {
		eventually(t, "a peer", func() bool { return n.Peers()[0].State == portal.PeerReplicated })
	}
	assert.Equal(t, 1, logs[0].count("peer not followed"))
}

// A version from before there were formats is neither followed nor answered.
func TestVersionsFromBeforeThereWereFormatsAreRefused(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	nc, _ := asPeer(t, us)
	m, err := nc.Request("meridian.follow.us-east-1", []byte(`{"line":"config","nonce":"n"}`), hang)
	require.NoError(t, err)
	assert.Contains(t, string(m.Data), "a version from before there were formats")
	assert.NotContains(t, string(m.Data), "messages")

	s, err := server.NewServer(&server.Options{ServerName: "old", Port: server.RANDOM_PORT, Host: "127.0.0.1",
		NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(hang))
	old, err := nats.Connect(s.ClientURL(), nats.Timeout(hang))
	require.NoError(t, err)
	t.Cleanup(old.Close)
	_, err = old.Subscribe("meridian.follow.eu-central-1", func(m *nats.Msg) {
		var q struct{ Nonce string }
		if decode(m.Data, &q) {
			_ = m.Respond([]byte(`{"nonce":"` + q.Nonce + `","store":"old","after":0,"pending":0,"last":7}`))
		}
	})
	require.NoError(t, err)
	require.NoError(t, old.Flush())
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: s.ClientURL()}))
	eventually(t, "a refusal", func() bool { return us.Peers()[0].State == portal.PeerIncompatible })
	assert.Zero(t, us.Peers()[0].Heard)
}

// A store says which format a version must read. What was written before there
// were formats is read, and marked; what a later one wrote is refused by name.
func TestStoresSayWhichFormatTheyNeed(t *testing.T) {
	t.Parallel()
	c := configOf(virginia, t.TempDir())
	us := open(t, c)
	assert.Equal(t, []string{"1", "1", "1"}, replica.Formats(t, us))
	signIn(t, us, "u-1", "s-1")
	replica.Unmarked(t, us)
	us.Close()
	us = open(t, c)
	assert.True(t, alive(t, us, "s-1"))
	assert.Equal(t, []string{"1", "1", "1"}, replica.Formats(t, us))
	us.Close()

	later := c
	replica.Understand(&later, 2, 1, 2)
	us = open(t, later)
	us.Close()
	_, err := replica.Open(background(t), c)
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, replica.ReasonVersion, e.Reason)
	assert.Contains(t, e.Error(), "format 2")
}

// The same holds on the Region's own servers.
func TestStoresOnOwnServersAreMarked(t *testing.T) {
	t.Parallel()
	c := newCluster(t, virginia, 1)
	us := c.node(t, virginia)
	signIn(t, us, "u-1", "s-1")
	replica.Unmarked(t, us)
	require.Equal(t, []string{"", "", ""}, replica.Formats(t, us))
	us.Close()
	us = c.node(t, virginia)
	assert.True(t, alive(t, us, "s-1"))
	assert.Equal(t, []string{"1", "1", "1"}, replica.Formats(t, us))
}

// Each message has its format, and what else its Region's version put there:
// copies keep both, so that a Region between them needs no upgrade first.
func TestCopiesKeepTheHeadersOfTheOriginal(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	replica.WriteWith(t, us, "ended", replica.Entry("key-x", nil, "", "", 0, time.Now().Add(time.Hour)),
		"Meridian-Later", "value")
	eventually(t, "a copy", func() bool { return replica.Held(t, eu)["sessions_us-east-1"] == 1 })
	h := replica.Headers(t, eu, "sessions", virginia)
	assert.Equal(t, []string{"1"}, h["Meridian-Format"])
	assert.Equal(t, []string{"value"}, h["Meridian-Later"])
}

// A header from a peer reaches this Region's server only if it is Meridian's, and not one of the
// copier's own.
func TestPeersSetNoHeadersOfTheServer(t *testing.T) {
	t.Parallel()
	us, eu := open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	eu.RemovePeer(virginia)
	replica.CopyWith(t, eu, virginia, map[string]string{"Nats-Rollup": "all", "Nats-Expected-Last-Sequence": "77",
		"Meridian-Seq": "77", "Meridian-Later": "value"})
	h := replica.Headers(t, eu, "sessions", virginia)
	assert.Empty(t, h["Nats-Rollup"])
	assert.NotContains(t, h["Nats-Expected-Last-Sequence"], "77")
	assert.Equal(t, []string{"1"}, h["Meridian-Seq"])
	assert.Equal(t, []string{"value"}, h["Meridian-Later"])
}

func decode(b []byte, v any) bool { return json.Unmarshal(b, v) == nil }
