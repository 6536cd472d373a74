package replica_test

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// say tells a process a line and returns what it answers.
func (c *child) say(t *testing.T, format string, v ...any) string {
	t.Helper()
	c.tell(t, fmt.Sprintf(format, v...))
	return c.line(t)
}

// becomes waits until a process answers so.
func (c *child) becomes(t *testing.T, want, format string, v ...any) {
	t.Helper()
	var got string
	eventually(t, want+" for "+fmt.Sprintf(format, v...), func() bool { got = c.say(t, format, v...); return got == want })
}

// close ends a process as its operator does.
func (c *child) close(t *testing.T) {
	t.Helper()
	require.NoError(t, c.in.Close())
	require.NoError(t, c.cmd.Wait())
}

// follow makes two processes follow each other, and waits until they have.
func followEach(t *testing.T, us, eu *child) {
	t.Helper()
	require.Equal(t, "ok", eu.say(t, "follow %s %s", virginia, us.say(t, "addr")))
	require.Equal(t, "ok", us.say(t, "follow %s %s", frankfurt, eu.say(t, "addr")))
	us.becomes(t, string(portal.PeerReplicated), "peer "+frankfurt)
	eu.becomes(t, string(portal.PeerReplicated), "peer "+virginia)
}

// agree checks that two processes know the same in the end. The baseline keeps shortcuts, and doesn't show them.
func agree(t *testing.T, us, eu *child) {
	t.Helper()
	var r replica.Report
	eventually(t, "zero differences", func() bool {
		r = replica.Compare(us.digest(t), eu.digest(t))
		differ := slices.ContainsFunc(r.Differences, func(d replica.Difference) bool {
			return !strings.HasPrefix(d.Item, "shortcuts ") || d.Hashes[virginia] != "" && d.Hashes[frankfurt] != ""
		})
		return !differ && r.Items > 0
	})
}

// exchange writes in both Regions what the other must learn, under IDs with this
// prefix.
func exchange(t *testing.T, us, eu *child, prefix string) {
	t.Helper()
	require.Equal(t, "ok", us.say(t, "user %s active", prefix))
	for _, c := range []*child{us, eu} {
		for _, id := range []string{"stays", "ends"} {
			require.Equal(t, "ok", c.say(t, "session %s-%p-%s u-1", prefix, c, id))
		}
	}
	eu.becomes(t, "active", "person %s", prefix)
	for from, to := range map[*child]*child{us: eu, eu: us} {
		to.becomes(t, "alive", "alive %s-%p-ends", prefix, from)
		require.Equal(t, "ok", to.say(t, "revoke u-1 %s-%p-ends", prefix, from))
		from.becomes(t, "over", "alive %s-%p-ends", prefix, from)
		to.becomes(t, "alive", "alive %s-%p-stays", prefix, from)
	}
	agree(t, us, eu)
}

// A version runs beside the baseline, in either role. What the later one writes
// in kinds of its own is passed over by the older one, or stops it.
func TestVersionsRunSideBySide(t *testing.T) {
	t.Parallel()
	older := build(t, baseline(t))
	newer := os.Args[0]
	t.Run("the primary is newer", func(t *testing.T) {
		us := startOf(t, newer, job{Dir: t.TempDir(), Listen: "127.0.0.1:0", Know: []string{later}})
		eu := startOf(t, older, job{Region: frankfurt, Dir: t.TempDir(), Listen: "127.0.0.1:0"})
		followEach(t, us, eu)
		eu.becomes(t, "replicated", "await")
		exchange(t, us, eu, "a")
		require.Equal(t, "ok", us.say(t, "session s u-1"))
		eu.becomes(t, "alive", "alive s")

		require.Equal(t, "ok", us.say(t, "record %s x optional u-2", later))
		eu.becomes(t, "inactive", "person u-2")
		assert.Equal(t, "alive", eu.say(t, "alive s"))
		require.Equal(t, "ok", us.say(t, "entry sessions %s x optional", later))
		require.Equal(t, "ok", us.say(t, "probe"))
		exchange(t, us, eu, "b")
		require.Equal(t, "ok", us.say(t, "record %s y strict a", later))
		eu.becomes(t, "refused Version", "alive s")
		eu.becomes(t, "inactive", "person a")
		assert.Equal(t, "alive", us.say(t, "alive s"))
		require.Equal(t, "ok", us.say(t, "full %s", later))
		eu.becomes(t, "alive", "alive s")
		exchange(t, us, eu, "c")
	})
	t.Run("the primary is older", func(t *testing.T) {
		dir := t.TempDir()
		us := startOf(t, older, job{Dir: dir, Listen: "127.0.0.1:0"})
		eu := startOf(t, newer, job{Region: frankfurt, Dir: t.TempDir(), Listen: "127.0.0.1:0", Know: []string{later}})
		followEach(t, us, eu)
		eu.becomes(t, "replicated", "await")
		exchange(t, us, eu, "a")
		require.Equal(t, "ok", us.say(t, "session s u-1"))
		require.Equal(t, "ok", eu.say(t, "record %s x optional", later))
		require.Equal(t, "ok", eu.say(t, "entry revoked %s x optional", later))
		exchange(t, us, eu, "b")
		require.Equal(t, "ok", eu.say(t, "entry revoked %s y strict", later))
		us.becomes(t, "refused Version", "alive s")

		us.close(t) // and its upgrade is the way out
		us = startOf(t, newer, job{Dir: dir, Listen: "127.0.0.1:0", Know: []string{later}})
		assert.Equal(t, "alive", us.say(t, "alive s"))
		followEach(t, us, eu)
		exchange(t, us, eu, "c")
	})
	t.Run("a later format", func(t *testing.T) {
		us := startOf(t, newer, job{Dir: t.TempDir(), Listen: "127.0.0.1:0", Later: true})
		eu := startOf(t, older, job{Region: frankfurt, Dir: t.TempDir(), Listen: "127.0.0.1:0"})
		require.Equal(t, "ok", eu.say(t, "follow %s %s", virginia, us.say(t, "addr")))
		require.Equal(t, "ok", us.say(t, "follow %s %s", frankfurt, eu.say(t, "addr")))
		us.becomes(t, string(portal.PeerIncompatible), "peer "+frankfurt)
		eu.becomes(t, string(portal.PeerIncompatible), "peer "+virginia)
	})
}

// Regions are upgraded one after the other, and rolled back, and nothing is lost
// on the way.
func TestARollingUpgradeAndItsRollback(t *testing.T) {
	t.Parallel()
	older := build(t, baseline(t))
	newer := os.Args[0]
	dirs := []string{t.TempDir(), t.TempDir()}
	open := func(program string, region int) *child {
		j := job{Dir: dirs[region], Listen: "127.0.0.1:0"}
		if region == 1 {
			j.Region = frankfurt
		}
		if program == newer {
			j.Know = []string{later}
		}
		return startOf(t, program, j)
	}
	us, eu := open(older, 0), open(older, 1)
	followEach(t, us, eu)
	eu.becomes(t, "replicated", "await")
	steps := []struct {
		what   string
		region int
		to     string
	}{
		{"additional Region up", 1, newer}, {"primary up", 0, newer},
		{"primary back", 0, older}, {"additional Region back", 1, older},
		{"primary up first", 0, newer}, {"additional Region up last", 1, newer},
	}
	exchange(t, us, eu, "start")
	for i, step := range steps {
		at := []**child{&us, &eu}[step.region]
		(*at).close(t)
		*at = open(step.to, step.region)
		followEach(t, us, eu)
		exchange(t, us, eu, fmt.Sprint("step-", i))
		for j := range i {
			assert.Equal(t, "active", us.say(t, "person step-%d", j), step.what)
			assert.Equal(t, "active", eu.say(t, "person step-%d", j), step.what)
		}
		if step.to == newer { // written by it, kept by all
			require.Equal(t, "ok", []*child{us, eu}[step.region].say(t, "record %s kept-%d optional", later, i), step.what)
		}
	}
	agree(t, us, eu)
	have := us.digest(t).Items
	for i, step := range steps {
		key := fmt.Sprintf("log %s %s kept-%d", []string{virginia, frankfurt}[step.region], later, i)
		if _, ok := have[key]; ok != (step.to == newer) {
			assert.Fail(t, "not kept", "%s: %s", step.what, key)
		}
	}
}

// A directory that was written before there were formats is opened, with all
// that is in it. Beside a Region that is not upgraded yet, neither follows the
// other, and both serve what they have.
func TestADirectoryFromBeforeThereWereFormatsIsUpgraded(t *testing.T) {
	t.Parallel()
	older := build(t, beforeFormats)
	newer := os.Args[0]
	ports := freePorts(t, 2)
	usJob := job{Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", ports[0]),
		Peers: map[string]string{frankfurt: fmt.Sprintf("nats://127.0.0.1:%d", ports[1])}}
	euJob := job{Region: frankfurt, Dir: t.TempDir(), Listen: fmt.Sprintf("127.0.0.1:%d", ports[1]),
		Peers: map[string]string{virginia: "nats://" + usJob.Listen}}
	us, eu := startOf(t, older, usJob), startOf(t, older, euJob)
	eu.becomes(t, "replicated", "await")
	acked := map[string]bool{}
	for region, c := range map[string]*child{virginia: us, frankfurt: eu} {
		c.tell(t, "write")
		for range 200 {
			acked[parse(t, region, c.line(t))] = true
		}
		c.tell(t, "stop")
		for line := c.line(t); line != "stopped"; line = c.line(t) {
			acked[parse(t, region, line)] = true
		}
	}
	agree(t, us, eu)
	before := us.digest(t)

	us.close(t)
	us = startOf(t, newer, usJob)
	assert.Empty(t, changed(before, us.digest(t)))
	us.becomes(t, string(portal.PeerIncompatible), "peer "+frankfurt)
	require.Equal(t, "ok", us.say(t, "user new active"))
	assert.Empty(t, changed(before, eu.digest(t)), "it serves what it has")
	assert.NotContains(t, eu.digest(t).Items, "instance user new")

	eu.close(t)
	eu = startOf(t, newer, euJob)
	eu.becomes(t, "active", "person new")
	us.becomes(t, string(portal.PeerReplicated), "peer "+frankfurt)
	agree(t, us, eu)
	holds(t, eu.digest(t), acked)
	assert.Empty(t, changed(before, us.digest(t)))
}

// changed returns the items that are missing or different afterwards, without those that may be
// forgotten.
func changed(before, after replica.Digest) (out []string) {
	for what, item := range before.Items {
		if !item.Until.IsZero() && item.Until.Before(after.At) || strings.HasPrefix(what, "log ") && strings.Contains(what,
			" replicated ") {
			continue
		}
		if now := after.Items[what]; now.Hash != item.Hash {
			out = append(out, what)
		}
	}
	return out
}

// Nodes of both versions run in one Region, whose NATS servers they share, and
// each knows what the other writes, also before it was started; whichever version
// began.
func TestNodesOfTwoVersionsShareARegion(t *testing.T) {
	t.Parallel()
	older, newer := build(t, baseline(t)), os.Args[0]
	for name, programs := range map[string][]string{"the older began": {older, newer}, "the newer began": {newer, older}} {
		t.Run(name, func(t *testing.T) {
			at, err := url.Parse(newCluster(t, virginia, 1).urls)
			require.NoError(t, err)
			at.User = url.UserPassword("meridian", nodePassword)
			j := job{URL: at.String()}
			nodes := []*child{startOf(t, programs[0], j), startOf(t, programs[1], j)}
			for i := range 2 * len(nodes) {
				here, there := nodes[i%2], &nodes[(i+1)%2]
				exchange(t, here, *there, fmt.Sprint("n-", i))
				(*there).close(t)
				require.Equal(t, "ok", here.say(t, "session after-%d u-1", i))
				*there = startOf(t, programs[(i+1)%2], j)
				require.Equal(t, "alive", (*there).say(t, "alive after-%d", i))
				agree(t, here, *there)
			}
		})
	}
}
