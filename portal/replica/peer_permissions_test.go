package replica_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// asPeer is what a Region that turned hostile can use: the credentials that
// Regions show each other.
func asPeer(t *testing.T, n *replica.Node) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := nats.Connect(n.Addr(), nats.UserInfo("peer", secret), nats.CustomInboxPrefix("_PEER"), nats.Timeout(hang),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(200*time.Millisecond))
	require.NoError(t, err)
	return nc, js
}

// Rule 22: an additional Region is a read-only replica. Here NATS itself says so.
func TestRule22PeersMayOnlyRead(t *testing.T) {
	t.Parallel()
	us, eu, ap := three(t)
	signIn(t, us, "u-1", "s-1")
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-2", "x", time.Now().Add(time.Hour)))
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	before, held := us.Digest(), replica.Held(t, us)
	nc, js := asPeer(t, us)
	// Each attempt gets its own time: what is refused is refused in silence.
	soon := func() context.Context {
		ctx, cancel := context.WithTimeout(background(t), 100*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}

	_, err = js.KeyValue(soon(), "config_us-east-1")
	require.Error(t, err, "a KV handle of the primary's bucket")
	for _, subject := range []string{ // what Puts, Creates and Purges through such a handle send
		"$KV.config_us-east-1.tx.9.0", "$JS.us-east-1.API.$KV.config_us-east-1.tx.9.0",
		"meridian.sessions.us-east-1.session.x",
		"meridian.revoked.us-east-1.everyone.x", "$KV.config_eu-central-1.tx.9.0",
	} {
		_, err := js.Publish(soon(), subject, []byte(`{}`))
		require.Error(t, err, subject)
		require.NoError(t, nc.Publish(subject, []byte(`{}`)), "sent, and dropped by the server")
	}
	for _, s := range []string{"KV_config_us-east-1", "sessions_us-east-1", "revoked_us-east-1",
		"KV_config_eu-central-1"} {
		_, err := js.Stream(soon(), s)
		require.Error(t, err, "not even a look at %s", s)
		require.Error(t, js.DeleteStream(soon(), s), s)
		_, err = js.UpdateStream(soon(), jetstream.StreamConfig{Name: s, Subjects: []string{"x"}})
		require.Error(t, err, s)
		_, err = js.CreateConsumer(soon(), s, jetstream.ConsumerConfig{})
		require.Error(t, err, "a consumer would write wherever its client says: %s", s)
	}
	_, err = js.CreateStream(soon(),
		jetstream.StreamConfig{Name: "mirror", Mirror: &jetstream.StreamSource{Name: "KV_config_us-east-1"}})
	require.Error(t, err)
	require.NoError(t, nc.PublishRequest("$JS.API.STREAM.PURGE.revoked_us-east-1", "_PEER.x", nil))

	// Questions are answered only where peers listen.
	for _, reply := range []string{"$KV.config_us-east-1.tx.1.0", "meridian.revoked.us-east-1.everyone.x", "_NODE.x",
		"_PEERS.x"} {
		require.NoError(t,
			nc.PublishRequest("meridian.follow.us-east-1", reply, []byte(`{"line":"config","format":1,"reads":1}`)))
	}
	_, err = nc.SubscribeSync("_NODE.>")
	require.NoError(t, err)
	require.NoError(t, nc.Flush())
	require.ErrorContains(t, nc.LastError(), "Permissions Violation")

	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-9", UserName: "dave@example.com"})),
		"the primary goes on")
	eventually(t, "dave", func() bool { _, ok := eu.View().UserByID("u-9"); return ok })
	held["KV_config_us-east-1"]++
	assert.Equal(t, held, replica.Held(t, us), "nothing was stored or removed")
	after := us.Digest()
	for k, v := range before.Items {
		assert.Equal(t, v, after.Items[k], k)
	}
}

func TestGateRefusesNonsense(t *testing.T) {
	t.Parallel()
	us, _, _ := three(t)
	nc, _ := asPeer(t, us)
	for _, q := range []string{``, `{}`, `[]`, `{"line":"secrets"}`, `{"line":"config","after":-1}`,
		`{"line":"../config"}`} {
		m, err := nc.Request("meridian.follow.us-east-1", []byte(q), hang)
		require.NoError(t, err, q)
		assert.Contains(t, string(m.Data), `"error":"not a question"`, q)
	}
	_, err := nats.Connect(us.Addr(), nats.UserInfo("peer", "a guess of the right length"))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	_, err = nats.Connect(us.Addr(), nats.UserInfo("node", secret))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	_, err = nats.Connect(us.Addr())
	require.ErrorIs(t, err, nats.ErrAuthorization)
}

// Rules 22 and 48, invariant 13, on Nodes: configuration is written in the
// primary only, and an application in its own Region only.
func TestInvariant13AdditionalRegionsDontWriteConfiguration(t *testing.T) {
	t.Parallel()
	us, eu, _ := three(t)
	var e *center.Error
	require.ErrorAs(t, eu.View().Update(putUser(center.User{UserName: "x@example.com", Inactive: true})), &e)
	assert.Equal(t, center.ReasonNotPrimary, e.Reason)
	assert.Equal(t, virginia, e.Primary)

	// The instance knows the primary's view too, and that is no way around.
	v, err := eu.Instance().In(virginia)
	require.NoError(t, err)
	require.ErrorAs(t, v.Update(putUser(center.User{UserName: "x@example.com", Inactive: true})), &e)
	assert.Equal(t, center.ReasonNotPrimary, e.Reason)
	assert.Equal(t, virginia, e.Primary)

	app := center.Application{ID: "farm", Name: "Farm", URL: "https://farm.example", Region: frankfurt,
		AssignedTo: []center.Principal{center.UserPrincipal("u-1")}}
	put := func(tx *center.Tx) error { return tx.PutApplication(app) }
	require.ErrorAs(t, us.View().Update(put), &e)
	assert.Equal(t, center.ReasonNotAppRegion, e.Reason)
	require.NoError(t, eu.View().Update(put))
	eventually(t, "the application", func() bool { return len(us.View().Applications("u-1")) == 1 })
}

// Rule 57: an application's metadata replicates from its own Region outward.
// A user who is removed in the primary loses it, and is added again without it.
func TestRule57ApplicationsAndRemovedUsers(t *testing.T) {
	t.Parallel()
	us, eu, ap := three(t)
	app := center.Application{ID: "farm", Name: "Farm", URL: "https://farm.example", Region: frankfurt,
		AssignedTo: []center.Principal{center.UserPrincipal("u-1"), center.GroupPrincipal("g-1")}}
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error { return tx.PutApplication(app) }))
	for _, n := range []*replica.Node{us, ap} {
		eventually(t, "the application", func() bool { return len(n.View().Applications("u-1")) == 1 })
	}
	require.NoError(t,
		us.View().Update(func(tx *center.Tx) error { return errors.Join(tx.RemoveUser("u-1"), tx.RemoveGroup("g-1")) }))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-1", UserName: "alice@example.com"})))
	assert.Empty(t, us.View().Applications("u-1"))
	r, err := replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
	for _, n := range []*replica.Node{us, eu, ap} {
		assert.Empty(t, n.View().Applications("u-1"), n.Region())
	}
	// Its own Region assigns it anew, knowing who this is now.
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error { return tx.PutApplication(app2(app)) }))
	eventually(t, "the new assignment", func() bool { return len(ap.View().Applications("u-1")) == 1 })
	r, err = replica.Check(background(t), us, eu, ap)
	require.NoError(t, err, r.String())
}

func app2(a center.Application) center.Application {
	a.AssignedTo = []center.Principal{center.UserPrincipal("u-1")}
	return a
}
