package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Sessions that live in one Region and end in another keep the contract.
func TestSessionsKeepTheContract(t *testing.T) {
	t.Parallel()
	sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
		us, eu := open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, t.TempDir()))
		mesh(t, us, eu)
		return []sessionstest.Region{{Name: virginia, Store: us.Sessions()}, {Name: frankfurt, Store: eu.Sessions()}}
	}, sessionstest.Options{})
}

// A logout by an identity provider is on disk here and in the other Regions, and ends sessions that
// are created after a restart. Both Regions have the same state.
func TestLogoutsOutliveARestart(t *testing.T) {
	t.Parallel()
	dirs := map[string]string{virginia: t.TempDir(), frankfurt: t.TempDir()}
	start := func() (us, eu *replica.Node) {
		us, eu = open(t, configOf(virginia, dirs[virginia])), open(t, configOf(frankfurt, dirs[frankfurt]))
		mesh(t, us, eu)
		return us, eu
	}
	us, eu := start()
	subject := sessions.Subject{Provider: "https://idp.example", ServiceProvider: "https://sp.example",
		NameID: sessions.NameID{Value: "alice"}}
	proved := func(n *replica.Node, id string) sessions.Session {
		s := at(n, session("u-1", id, nil))
		s.Proof = sessions.Proof{Subject: subject, SessionIndexes: []string{"i-1"}, Issued: s.Created}
		return s
	}
	early := proved(us, "early")
	require.NoError(t, us.Sessions().Create(background(t), "key-early", early))
	eventually(t, "the session", func() bool { return alive(t, eu, "early") })
	issued := time.Now().In(time.FixedZone("another zone", 3600))
	ended, err := eu.Sessions().EndSubject(background(t),
		sessions.Logout{Subject: subject, SessionIndexes: []string{"i-1"}, Issued: issued})
	require.NoError(t, err)
	require.Len(t, ended, 1)
	assert.False(t, alive(t, eu, "early"))
	eventually(t, "the end", func() bool { return !alive(t, us, "early") })

	us.Close()
	eu.Close()
	us, eu = start()
	for _, n := range []*replica.Node{us, eu} {
		late := proved(n, "late-"+n.Region())
		late.Proof.Issued = early.Proof.Issued
		require.NoError(t, n.Sessions().Create(background(t), "key-"+late.ID, late))
		assert.False(t, alive(t, n, late.ID), n.Region())
	}
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}
