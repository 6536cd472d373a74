package replica_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

func auditConfig(region, dir string) audit.Config {
	return audit.Config{Dir: dir, Region: region, InsecurePlaintext: true, Logger: logger()}
}

func openAudit(t *testing.T, region, dir string) *audit.Log {
	t.Helper()
	l, err := audit.Open(auditConfig(region, dir))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// changeEvents returns a Log's events, which are of changes, by name and key, the oldest first.
func changeEvents(t *testing.T, l *audit.Log) (all []audit.Event, said []string) {
	t.Helper()
	q := audit.Query{Max: 500}
	for {
		page, err := l.Search(background(t), q)
		require.NoError(t, err)
		require.Empty(t, page.Damage)
		for _, e := range page.Events {
			all = append([]audit.Event{e}, all...)
			said = append([]string{strings.TrimSpace(e.Name + " " + e.Request["key"])}, said...)
		}
		if page.Next == nil {
			return all, said
		}
		q.Before = page.Next
	}
}

// audited are three Regions with their Logs.
type audited struct {
	t     *testing.T
	cfg   map[string]replica.Config
	dirs  map[string]string
	logs  map[string]*audit.Log
	nodes map[string]*replica.Node
}

func newAudited(t *testing.T) *audited {
	t.Helper()
	w := &audited{t, map[string]replica.Config{}, map[string]string{}, map[string]*audit.Log{}, map[string]*replica.Node{}}
	for _, region := range []string{virginia, frankfurt, mumbai} {
		w.cfg[region], w.dirs[region] = configOf(region, t.TempDir()), t.TempDir()
		w.open(region)
	}
	mesh(t, w.nodes[virginia], w.nodes[frankfurt], w.nodes[mumbai])
	return w
}

func (w *audited) open(region string) {
	w.logs[region] = openAudit(w.t, region, w.dirs[region])
	c := w.cfg[region]
	c.Audit = w.logs[region]
	w.nodes[region] = open(w.t, c)
}

// restart closes a Region and opens it again. In between, change is called.
func (w *audited) restart(region string, change func()) {
	w.t.Helper()
	w.nodes[region].Close()
	require.NoError(w.t, w.logs[region].Close())
	change()
	w.open(region)
	for other, n := range w.nodes {
		if other != region {
			require.NoError(w.t, w.nodes[region].AddPeer(background(w.t), other, replica.Peer{URL: n.Addr()}))
			n.RemovePeer(region)
			require.NoError(w.t, n.AddPeer(background(w.t), region, replica.Peer{URL: w.nodes[region].Addr()}))
		}
	}
	require.NoError(w.t, w.nodes[region].Ready(background(w.t)))
}

// become waits until every Region has the same events with the same IDs, and returns their names.
func (w *audited) become(last string) []string {
	w.t.Helper()
	var said []string
	eventually(w.t, last, func() bool {
		var ids []string
		for region, l := range w.logs {
			all, names := changeEvents(w.t, l)
			if len(names) == 0 || names[len(names)-1] != last {
				return false
			}
			var these []string
			for _, e := range all {
				require.Equal(w.t, region, e.Region)
				require.Equal(w.t, virginia, e.Additional["OriginRegion"])
				these = append(these, e.ID)
			}
			if ids != nil && !assert.ObjectsAreEqual(ids, these) {
				return false
			}
			ids, said = these, names
		}
		return true
	})
	return said
}

// Rule 71: a change is an event in each Region, with one ID.
func TestRule71ChangesAreEventsInEachRegionWithOneID(t *testing.T) {
	t.Parallel()
	w := newAudited(t)
	us := w.nodes[virginia].View()
	require.NoError(t, us.Update(putUser(center.User{ID: "u-9", UserName: "nina@example.com"})))
	require.NoError(t, us.Update(by(center.Actor{Client: "okta"}, putUser(center.User{
		ID: "u-9", UserName: "nina@example.com", Inactive: true,
	}))))
	require.NoError(t, us.Update(func(tx *center.Tx) error {
		tx.By(center.Actor{UserID: "u-1", Session: "0123456789abcdef"})
		return errors.Join(tx.RemoveUser("u-9"), tx.PutAccount(center.Account{ID: "222222222222", Name: "Test"}))
	}))
	require.NoError(t, us.Update(func(tx *center.Tx) error {
		return tx.Unassign(center.Assignment{
			Principal: center.GroupPrincipal("g-1"), AccountID: "111111111111", PermissionSet: "ReadOnly",
		})
	}))
	gone := "DeleteAccountAssignment 111111111111/ReadOnly/group/g-1"
	said := w.become(gone)
	assert.Subset(t, said, []string{
		"CreateUser u-1", "CreateGroup g-1", "CreateUser u-9", "UpdateUser u-9", "DeleteUser u-9", "PutAccount 222222222222",
		gone,
	})
	all, _ := changeEvents(t, w.logs[frankfurt])
	for _, e := range all {
		switch e.Name {
		case "CreateUser":
			assert.Equal(t, audit.Service(), e.Identity)
		case "DeleteUser", "PutAccount":
			if e.Request["key"] == "u-9" || e.Request["key"] == "222222222222" {
				assert.Equal(t, audit.User("u-1", "alice@example.com", "0123456789abcdef"), e.Identity)
			}
		case "UpdateUser":
			assert.Equal(t, audit.Identity{Type: audit.TypeClient, UserName: "okta"}, e.Identity)
			assert.Equal(t, map[string]string{
				"kind": "user", "key": "u-9", "userName": "nina@example.com", "status": "inactive",
			}, e.Request)
			assert.Equal(t, audit.SourceDirectory, e.Source)
		}
	}
	w.restart(frankfurt, func() {}) // which reads all streams again
	require.NoError(t, us.Update(putUser(center.User{ID: "u-10", UserName: "olga@example.com"})))
	assert.Len(t, w.become("CreateUser u-10"), len(said)+1, "nothing is written twice")
}

// A Region that is away while the primary changes, and replaces its log by a full transaction, writes the events when
// it reads that: those of what is still there, with the same IDs.
func TestEventsOfChangesThatWereReplacedByAFullTransaction(t *testing.T) {
	t.Parallel()
	w := newAudited(t)
	us := w.nodes[virginia].View()
	require.NoError(t, us.Update(putUser(center.User{ID: "u-9", UserName: "nina@example.com"})))
	before := w.become("CreateUser u-9")
	w.restart(mumbai, func() {
		require.NoError(t, us.Update(by(center.Actor{UserID: "u-1", Session: "0123456789abcdef"}, putUser(center.User{
			ID: "u-10", UserName: "olga@example.com",
		}))))
		require.NoError(t, replica.WriteFull(w.nodes[virginia], ""))
	})
	require.NoError(t, us.Update(putUser(center.User{ID: "u-11", UserName: "paul@example.com"})))
	assert.Equal(t, append(before, "CreateUser u-10", "CreateUser u-11"), w.become("CreateUser u-11"))
	for region, l := range w.logs {
		all, _ := changeEvents(t, l)
		assert.Equal(t, audit.User("u-1", "alice@example.com", "0123456789abcdef"), all[len(all)-2].Identity, region)
		assert.Equal(t, audit.Service(), all[len(all)-1].Identity, region)
	}
}

// by is an update that an actor makes.
func by(a center.Actor, change func(*center.Tx) error) func(*center.Tx) error {
	return func(tx *center.Tx) error {
		tx.By(a)
		return change(tx)
	}
}

// A primary is killed in the middle of its work, again and again. Each acknowledged change has one event.
func TestKilledPrimaryHasOneEventForEachAcknowledgedChange(t *testing.T) {
	t.Parallel()
	j := job{Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0]), Audit: t.TempDir()}
	acked := map[string]bool{}
	for j.Round = range 4 {
		primary := start(t, j)
		primary.tell(t, "write")
		for n := 50 + rand.N(300); ; n-- {
			if n == 0 {
				require.NoError(t, primary.cmd.Process.Kill())
			}
			line, err := primary.lines.ReadString('\n')
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			var who int
			var id string
			if _, err := fmt.Sscanf(line, "ack %d %s", &who, &id); err == nil && who < 2 && strings.HasSuffix(line, "\n") {
				acked["CreateUser "+id] = true
			}
		}
		primary.kill()
	}
	last := start(t, j) // which writes the events of the end
	last.tell(t, "digest")
	last.line(t)
	_ = last.in.Close() // it closes its Node, which writes what is queued
	require.NoError(t, last.cmd.Wait())
	_, said := changeEvents(t, openAudit(t, virginia, j.Audit))
	times := map[string]int{}
	for _, name := range said {
		times[name]++
	}
	for name := range acked {
		require.Equal(t, 1, times[name], name)
	}
	assert.NotEmpty(t, acked)
	t.Logf("%d acknowledged changes, %d events", len(acked), len(said))
}

// Rule 70: what a Node reports reaches the rules of its Region's alerts.
func TestRule70ANodesValuesReachTheAlerts(t *testing.T) {
	t.Parallel()
	cfg := auditConfig(virginia, t.TempDir())
	zero := 0.0
	cfg.Rules = []audit.Rule{{Name: "Serving", Value: replica.ObservedReady, Above: &zero}}
	l, err := audit.Open(cfg)
	require.NoError(t, err)
	c := configOf(virginia, t.TempDir())
	c.Audit, c.ObserveEvery = l, 1
	n := open(t, c)
	require.NoError(t, n.Ready(background(t)))
	t.Cleanup(func() { n.Close(); require.NoError(t, l.Close()) })
	eventually(t, "the alert", func() bool { l.CheckRules(); return len(l.Alerts()) == 1 })
	assert.Equal(t, virginia, l.Alerts()[0].Of)
}
