package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A program's session reaches the other Region with the program's name, outlives a restart of both, and ends in its
// Region when its sign-in ends in the other.
func TestSessionsOfProgramsAreReplicated(t *testing.T) {
	t.Parallel()
	dirs := map[string]string{virginia: t.TempDir(), frankfurt: t.TempDir()}
	start := func() (us, eu *replica.Node) {
		us, eu = open(t, configOf(virginia, dirs[virginia])), open(t, configOf(frankfurt, dirs[frankfurt]))
		mesh(t, us, eu)
		return us, eu
	}
	us, eu := start()
	browser, program := at(eu, session("u-1", "browser", nil)), at(eu, session("u-1", "program", nil))
	program.SignIn, program.Client = browser.SignIn, "botocore-client-primary"
	for _, s := range []sessions.Session{browser, program} {
		require.NoError(t, eu.Sessions().Create(background(t), "key-"+s.ID, s))
	}
	names := func(n *replica.Node) map[string]string {
		list, err := n.Sessions().List(background(t), "u-1")
		require.NoError(t, err)
		out := map[string]string{}
		for _, s := range list {
			out[s.ID] = s.Client
		}
		return out
	}
	want := map[string]string{"browser": "", "program": "botocore-client-primary"}
	eventually(t, "both sessions", func() bool { return len(names(us)) == 2 })
	assert.Equal(t, want, names(us))

	us.Close()
	eu.Close()
	us, eu = start()
	for _, n := range []*replica.Node{us, eu} {
		assert.Equal(t, want, names(n))
	}
	got, err := eu.Sessions().Get(background(t), "key-program")
	require.NoError(t, err)
	assert.False(t, got.Over(got.Expires.Add(-time.Second), time.Minute), "a program isn't idle")
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", browser.SignIn, time.Now().Add(time.Hour)))
	eventually(t, "the end of both", func() bool { return !alive(t, eu, "browser") && !alive(t, eu, "program") })
}
