package replica_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// The primary's backup is restored with Restored, although Frankfurt runs and remembers more. The restored
// configuration counts in both. What was revoked in either Region stays ended in both: the primary, which has lost what
// it ended, lets in no session from before. Sessions that begin later are let in everywhere.
func TestARestoredRegionMeetsOneThatRemembersMore(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt)
	us := open(t, k.config(t, virginia, t.TempDir()))
	euConfig := k.config(t, frankfurt, t.TempDir())
	eu := open(t, euConfig)
	mesh(t, us, eu)
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "carol@example.com"})))
	eventually(t, "carol", func() bool { _, ok := userIn(eu, "u-3"); return ok })
	for id, user := range map[string]string{"kept": "u-1", "revoked": "u-1", "removed": "u-2", "all": "u-3"} {
		signIn(t, eu, user, id)
		eventually(t, id, func() bool { return alive(t, us, id) })
	}
	signIn(t, us, "u-1", "own")
	backup := backUp(t, us)
	require.NoError(t, us.Sessions().Revoke(background(t), "u-1", "revoked"))
	require.NoError(t, us.Sessions().RevokeUser(background(t), "u-3"))
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveUser("u-2") }))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-4", UserName: "dora@example.com"})))
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error {
		return tx.PutApplication(center.Application{ID: "farm", Name: "Farm", URL: "https://farm.example", Region: frankfurt})
	}))
	require.NoError(t, eu.Sessions().EndSignIn(background(t), "u-1", "an-end", time.Now().Add(time.Hour)))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	us.Close()

	c := restoring(t, k.config(t, virginia, ""), backup)
	open(t, c).Close()
	us = open(t, afterwards(c))
	mesh(t, us, eu)
	assert.False(t, alive(t, eu, "removed"), "a session of a user who was removed")
	for _, what := range []string{"", "after Frankfurt's restart"} {
		if what != "" {
			eu.Close()
			eu = open(t, euConfig)
			mesh(t, us, eu)
		}
		eventually(t, "nothing that differs but the session that the primary has lost "+what, func() bool {
			r = replica.Compare(us.Digest(), eu.Digest())
			return len(r.Differences) == 1 && r.Differences[0].Item == "session us-east-1 key-own"
		})
		for _, n := range []*replica.Node{us, eu} {
			_, removed := userIn(n, "u-2")
			_, added := userIn(n, "u-4")
			assert.True(t, removed && !added, "the users of the backup, in %s %s", n.Region(), what)
			assert.Len(t, n.View().Snapshot().Data().Applications, 1, "Frankfurt's own configuration")
			assert.Contains(t, n.Digest().Items, fmt.Sprintf("signed out %q %q", "u-1", "an-end"))
			for _, id := range []string{"revoked", "all"} {
				assert.False(t, alive(t, n, id), "%s in %s %s", id, n.Region(), what)
			}
		}
		assert.True(t, alive(t, eu, "kept") && alive(t, eu, "own"), what)
		assert.False(t, alive(t, us, "kept") || alive(t, us, "own"), "the primary may have ended it")
		assert.False(t, alive(t, us, "removed"), what)
		for i, user := range []string{"u-1", "u-2", "u-3"} {
			for _, n := range []*replica.Node{us, eu} {
				id := fmt.Sprint("later-", i, n.Region(), what)
				signIn(t, n, user, id)
				for _, at := range []*replica.Node{us, eu} {
					eventually(t, id+" in "+at.Region(), func() bool { return alive(t, at, id) })
				}
			}
		}
	}
}
