package replica_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Rules 7 and 56: Config.Support holds in each Region. Two Regions that don't hear each other add an application with
// one ID: both have that of the Region whose name sorts first, and only that Region changes it. The other one comes
// back when that is removed.
func TestRule7ApplicationsOfTwoRegions(t *testing.T) {
	t.Parallel()
	dirs := map[string]string{virginia: t.TempDir(), frankfurt: t.TempDir()}
	config := func(region string) replica.Config {
		c := configOf(region, dirs[region])
		c.Support = func(a center.Application) center.AppSupport {
			return center.AppSupport{CustomerKey: true, MultiRegion: a.Name != "single"}
		}
		return c
	}
	us, eu := open(t, config(virginia)), open(t, config(frankfurt))
	mesh(t, us, eu)
	put := func(n *replica.Node, id, name string) error {
		return n.View().Update(func(tx *center.Tx) error {
			return tx.PutApplication(center.Application{ID: id, Name: name, URL: "https://app.example", Region: n.Region()})
		})
	}
	var e *center.Error
	require.NoError(t, put(us, "here", "single"))
	require.ErrorAs(t, put(eu, "there", "single"), &e)
	require.Equal(t, center.ReasonApplications, e.Reason)

	us.Close()
	require.NoError(t, put(eu, "wiki", "of Frankfurt"))
	eu.Close()
	us = open(t, config(virginia))
	require.NoError(t, put(us, "wiki", "of Virginia"))
	eu = open(t, config(frankfurt))
	mesh(t, us, eu)
	has := func(name string) {
		t.Helper()
		for _, n := range []*replica.Node{us, eu} {
			eventually(t, name+" in "+n.Region(), func() bool {
				a, _ := n.View().Snapshot().Application("wiki")
				return a.Name == name
			})
		}
	}
	has("of Frankfurt")
	require.ErrorAs(t, put(us, "wiki", "another"), &e)
	assert.Equal(t, center.ReasonNotAppRegion, e.Reason)
	assert.Contains(t, e.Want, frankfurt)
	require.NoError(t, eu.View().Update(func(tx *center.Tx) error { return tx.RemoveApplication("wiki") }))
	has("of Virginia")
}
