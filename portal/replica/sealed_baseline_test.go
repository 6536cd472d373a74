package replica_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// What the baseline wrote, which knows no keys, is sealed when this version opens it with them. All of it is kept, and
// what had ended stays ended. Without InsecureOpenPlaintext nothing is opened or changed.
func TestADirectoryOfTheBaselineIsSealed(t *testing.T) {
	t.Parallel()
	older, p, dirs := build(t, baseline(t)), planted(), []string{t.TempDir(), t.TempDir()}
	us := startOf(t, older, job{Dir: dirs[0], Listen: "127.0.0.1:0"})
	eu := startOf(t, older, job{Region: frankfurt, Dir: dirs[1], Listen: "127.0.0.1:0"})
	followEach(t, us, eu)
	eu.becomes(t, "replicated", "await")
	for i := range 10 {
		require.Equal(t, "ok", us.say(t, "user %s active", p[i]))
		require.Equal(t, "ok", []*child{us, eu}[i%2].say(t, "session %s %s", p[10+i], p[i]))
	}
	require.Equal(t, "ok", us.say(t, "user %s inactive", p[0]))
	us.becomes(t, "alive", "alive %s", p[11])
	require.Equal(t, "ok", us.say(t, "revoke %s %s", p[1], p[11]))
	eu.becomes(t, "over", "alive %s", p[11])
	eu.becomes(t, "inactive", "person %s", p[0])
	agree(t, us, eu)
	before := us.digest(t)
	us.close(t)
	eu.close(t)
	require.GreaterOrEqual(t, count(foundIn(t, dirs...)), 20, "the search finds what the baseline wrote")

	k := newKeyring(t, virginia, frankfurt)
	_, err := replica.Open(background(t), k.config(t, virginia, dirs[0]))
	var e *replica.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, replica.ReasonConfig, e.Reason, err)
	require.GreaterOrEqual(t, count(foundIn(t, dirs...)), 20, "nothing was changed")

	for _, plain := range []bool{true, false} { // the start that seals, and the next one
		nodes := make([]*replica.Node, 2)
		for i, region := range []string{virginia, frankfurt} {
			c := k.config(t, region, dirs[i])
			c.InsecureOpenPlaintext = plain
			nodes[i] = open(t, c)
		}
		mesh(t, nodes...)
		for _, n := range nodes {
			for i := range 10 {
				ended := i < 2
				eventually(t, "the session "+p[10+i], func() bool { return alive(t, n, p[10+i]) == !ended })
				u, ok := n.View().UserByID(p[i])
				assert.True(t, ok)
				assert.Equal(t, i == 0, u.Inactive)
			}
			assert.Empty(t, changed(before, n.Digest()))
		}
		r, err := replica.Check(background(t), nodes...)
		require.NoError(t, err, r.String())
		eventually(t, "the removal of the old files", func() bool {
			return replica.Plain(t, nodes[0])+replica.Plain(t, nodes[1]) == 0 && count(foundIn(t, dirs...)) == 0
		})
		for _, n := range nodes {
			n.Close()
		}
		require.Zero(t, count(foundIn(t, dirs...)))
	}
}
