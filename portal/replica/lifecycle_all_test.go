package replica_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// Rules 5, 23 and 65: an instance is extended to all 17 Regions, one after the other. Then one is lost, and another one
// is removed. After each of these, the table of tasks is true in each Region that is left.
func TestRule5AllSeventeenRegions(t *testing.T) {
	if raceDetector {
		testkit.Skip(t, "with the race detector 17 Regions take minutes; the tests of fewer have it")
	}
	// Not parallel: 272 links keep all processors busy.
	calm := func(c replica.Config) replica.Config {
		c.Heartbeat = time.Second
		return c
	}
	us := open(t, calm(alone(t.TempDir())))
	nodes := map[string]*replica.Node{virginia: us}
	for _, p := range center.Places() {
		if p.Name == virginia {
			continue
		}
		n := open(t, calm(configOf(p.Name, t.TempDir())))
		for name, o := range nodes {
			if name != virginia { // extend connects it with the primary
				require.NoError(t, o.AddPeer(background(t), n.Region(), replica.Peer{URL: n.Addr()}))
				require.NoError(t, n.AddPeer(background(t), o.Region(), replica.Peer{URL: o.Addr()}))
			}
		}
		extend(t, us, n)
		nodes[n.Region()] = n
	}
	require.Len(t, nodes, 17)
	for _, c := range controlOf(us).Candidates(background(t), us.View().Snapshot()) {
		assert.Error(t, c.Err, c.Place.Name)
	}
	for _, n := range nodes {
		for name := range nodes {
			isActive(t, n, name)
		}
		putApplication(t, n, "app-"+n.Region())
	}
	tableIsTrue(t, nodes, "with all")

	const lost, removed = "ap-southeast-2", "sa-east-1"
	nodes[lost].Close()
	delete(nodes, lost)
	tableIsTrue(t, nodes, "with one lost")
	_, err := controlOf(us).RemoveRegion(administrator, removed, "app-"+removed)
	require.NoError(t, err)
	gone := nodes[removed]
	delete(nodes, removed)
	erased(t, gone)
	for _, n := range nodes {
		eventually(t, "the end of "+removed+" in "+n.Region(), func() bool {
			s := n.View().Snapshot()
			_, listed := s.Region(removed)
			_, app := s.Application("app-" + removed)
			return !listed && !app
		})
	}
	tableIsTrue(t, nodes, "with one lost and one removed")
	var left []*replica.Node
	for _, n := range nodes {
		left = append(left, n)
	}
	r, err := replica.Check(background(t), left...)
	require.NoError(t, err, r.String())
}

// tableIsTrue tries the rows of the table of tasks in each Region, as far as package replica carries them: a change is
// made everywhere it is allowed, and reaches all Regions; a refusal names the Region to go to.
func tableIsTrue(t *testing.T, nodes map[string]*replica.Node, when string) {
	t.Helper()
	names := make([]string, 0, len(nodes))
	for name := range nodes {
		names = append(names, name)
	}
	slices.Sort(names)
	refusal := func(n *replica.Node, change func(*center.Tx) error) (e *center.Error) {
		require.ErrorAs(t, n.View().Update(change), &e, n.Region())
		return e
	}
	for i, name := range names {
		n, other := nodes[name], names[(i+1)%len(names)] // the same one if it is alone
		for _, row := range center.Tasks() {
			right := row.Additional
			if name == virginia {
				right = row.Primary
			}
			write := center.Attempt{Task: row.Task, Write: true, Application: name}
			assert.Equal(t, right == center.RightRead || right == center.RightNone, n.View().Check(write) != nil,
				"%s: %s in %s", when, row.Task, name)
		}
		user := putUser(center.User{ID: "u-3", UserName: "carol@example.com", DisplayName: when})
		if name == virginia {
			require.NoError(t, n.View().Update(user))
		} else {
			for _, change := range []func(*center.Tx) error{user,
				func(tx *center.Tx) error { return tx.RemovePermissionSet("ReadOnly") },
				func(tx *center.Tx) error { return tx.EndRemoval(other) },
				func(tx *center.Tx) error {
					return tx.PutFederation(center.Federation{EntityID: "https://idp.example", Metadata: []byte("x")})
				},
			} {
				e := refusal(n, change)
				assert.Equal(t, center.ReasonNotPrimary, e.Reason)
				assert.Equal(t, virginia, e.Primary)
			}
		}
		rename := func(of string) func(*center.Tx) error {
			return func(tx *center.Tx) error {
				return tx.PutApplication(center.Application{ID: "app-" + of, Name: when, URL: "https://app.example", Region: of})
			}
		}
		require.NoError(t, n.View().Update(rename(name)), name)
		if other != name {
			e := refusal(n, rename(other))
			assert.Equal(t, center.ReasonNotAppRegion, e.Reason)
			assert.Contains(t, e.Want, other)
		}
		signIn(t, n, "u-1", name+when)
	}
	for _, n := range nodes {
		eventually(t, "the changes "+when+" in "+n.Region(), func() bool {
			s := n.View().Snapshot()
			u, _ := s.UserByID("u-3")
			done := u.DisplayName == when
			for _, name := range names {
				a, _ := s.Application("app-" + name)
				done = done && a.Name == when && alive(t, n, name+when)
			}
			return done
		})
	}
	// Revocation: in each Region, of the session of the next one.
	for i, name := range names {
		id := names[(i+1)%len(names)] + when
		require.NoError(t, nodes[name].Sessions().Revoke(background(t), "u-1", id))
	}
	for _, n := range nodes {
		for _, name := range names {
			eventually(t, "the revocation of "+name+" in "+n.Region(), func() bool { return !alive(t, n, name+when) })
		}
	}
}
