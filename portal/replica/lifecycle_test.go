package replica_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// owner is the account of the operators in these tests.
const owner = "999999999999"

var administrator = center.Caller{Account: owner, Region: virginia, Administrator: true}

// alone is the configuration of a primary without additional Regions, which may have some.
func alone(dir string) replica.Config {
	c := configOf(virginia, dir)
	c.Seed = seed(virginia)
	c.Seed.Instance = center.InstanceMetadata{OwnerAccountID: owner, Encryption: center.Encryption{
		KeyType: center.KeyCustomerManaged,
		KeyARN:  "arn:aws:kms:us-east-1:999999999999:key/mrk-0123456789abcdef0123456789abcdef",
	}}
	c.RemoveAfter = 10 * time.Millisecond
	return c
}

// controlOf is the control plane of a primary whose key has a copy in each Region.
func controlOf(us *replica.Node) *center.Control {
	return &center.Control{View: us.View(), Admission: center.Admission{
		Key: func(context.Context, string, string) error { return nil },
	}}
}

func extend(t testing.TB, us, other *replica.Node) {
	t.Helper()
	status, err := controlOf(us).AddRegion(background(t), administrator, center.Region{Name: other.Region()})
	require.NoError(t, err)
	require.Equal(t, center.RegionAdding, status)
	require.NoError(t, us.AddPeer(background(t), other.Region(), replica.Peer{URL: other.Addr()}))
	require.NoError(t, other.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	require.NoError(t, other.Ready(background(t)))
	isActive(t, us, other.Region())
	isActive(t, other, other.Region())
}

func isActive(t testing.TB, n *replica.Node, region string) {
	t.Helper()
	eventually(t, region+" ACTIVE in "+n.Region(), func() bool {
		r, ok := n.View().Snapshot().Region(region)
		return ok && r.Active()
	})
}

// Rules 72 and 78: a Region is added, removed with its application, and added again. Meanwhile no user sees the
// application, and the Region's files have no identity data. Then access and the application are back, without the
// principals that were removed meanwhile.
func TestRule78RemovedRegionsComeBack(t *testing.T) {
	t.Parallel()
	us, euDir := open(t, alone(t.TempDir())), t.TempDir()
	eu := open(t, configOf(frankfurt, euDir))
	extend(t, us, eu)
	app := center.Application{ID: "wiki", Name: "Wiki", URL: "https://wiki.example", Region: frankfurt,
		AssignedTo: []center.Principal{center.UserPrincipal("u-1"), center.UserPrincipal("u-2")}}
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error { return tx.PutApplication(app) }))
	seen := func(user string) int { return len(us.View().Applications(user)) }
	eventually(t, "the application in the primary", func() bool { return seen("u-1") == 1 && seen("u-2") == 1 })
	require.NotEmpty(t, found(t, euDir, "alice@example.com"))

	_, err := controlOf(us).RemoveRegion(administrator, frankfurt)
	var e *center.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, center.ReasonApplications, e.Reason)
	require.Equal(t, "Wiki", e.Got, "the warning names the application")
	status, err := controlOf(us).RemoveRegion(administrator, frankfurt, "wiki")
	require.NoError(t, err)
	require.Equal(t, center.RegionRemoving, status)
	eventually(t, "the end of the removal", func() bool {
		_, ok := us.View().Snapshot().Region(frankfurt)
		return !ok
	})
	erased(t, eu)
	assert.Zero(t, seen("u-1"))
	assert.Len(t, us.View().Snapshot().ParkedApplications(frankfurt), 1)
	eu.Close()
	for _, text := range []string{"alice@example.com", "bob@example.com", "wiki.example", "Developers"} {
		assert.Empty(t, found(t, euDir, text), text)
	}
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-2", UserName: "bob@example.com"})))

	c := configOf(frankfurt, t.TempDir())
	c.Restored = true
	eu = open(t, c)
	extend(t, us, eu)
	eventually(t, "the application, back", func() bool { return seen("u-1") == 1 })
	assert.Zero(t, seen("u-2"), "a user who was removed meanwhile has no access again")
	assert.Empty(t, us.View().Snapshot().ParkedApplications(frankfurt))
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error { return tx.RemoveApplication("wiki") }))
	eventually(t, "the end of the application", func() bool { return seen("u-1") == 0 })
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}

// Rules 66 and 78: a Region forgets at its removal what it had ended. When it is added again, it lets in no session
// from before its removal, so that none comes back, and those that begin later.
func TestRule78ARegionThatIsAddedAgainRestoresNoSession(t *testing.T) {
	t.Parallel()
	us := open(t, alone(t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	extend(t, us, eu)
	for _, id := range []string{"s-revoked", "s-all", "s-alive"} {
		user := "u-1"
		if id == "s-all" {
			user = "u-2"
		}
		signIn(t, us, user, id)
		eventually(t, id, func() bool { return alive(t, eu, id) })
	}
	require.NoError(t, eu.Sessions().Revoke(background(t), "u-1", "s-revoked"))
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-2"))
	eventually(t, "the revocations", func() bool { return !alive(t, us, "s-revoked") && !alive(t, us, "s-all") })
	_, err := controlOf(us).RemoveRegion(administrator, frankfurt)
	require.NoError(t, err)
	erased(t, eu)
	eu.Close()

	c := configOf(frankfurt, t.TempDir())
	c.Restored = true
	eu = open(t, c)
	extend(t, us, eu)
	signIn(t, us, "u-1", "s-later")
	eventually(t, "a session from after the removal", func() bool { return alive(t, eu, "s-later") })
	for _, id := range []string{"s-revoked", "s-all", "s-alive"} {
		assert.False(t, alive(t, eu, id), id)
	}
	assert.True(t, alive(t, us, "s-alive"))
	assert.False(t, alive(t, us, "s-revoked"))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, "what Frankfurt has erased is no difference: %s", r)

	// What it loses of the primary's instance, or of sessions since, is one.
	less := eu.Digest()
	delete(less.Items, "session us-east-1 key-s-later")
	delete(less.Items, "instance user u-2")
	delete(less.Items, "session us-east-1 key-s-alive") // it is void there, but not missing
	assert.Len(t, replica.Compare(us.Digest(), less).Differences, 3)
	// So is an end that Frankfurt alone knows, that another Region differs in, or that lasts longer than its removal.
	require.NoError(t, eu.Sessions().EndSignIn(background(t), "u-1", "longer", time.Now().Add(48*time.Hour)))
	require.NoError(t, eu.Sessions().EndSignIn(background(t), "u-1", "shorter", time.Now().Add(time.Hour)))
	r, err = replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	for _, id := range []string{"longer", "shorter"} {
		less = us.Digest()
		delete(less.Items, fmt.Sprintf("signed out %q %q", "u-1", id))
		assert.Len(t, replica.Compare(less, eu.Digest()).Differences, 1, id)
	}
	less = eu.Digest()
	delete(less.Items, fmt.Sprintf("signed out %q %q", "u-1", "longer"))
	assert.Len(t, replica.Compare(us.Digest(), less).Differences, 1)
}
