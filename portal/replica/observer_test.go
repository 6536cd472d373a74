package replica_test

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// gauges keeps the last of each value, as a monitor does.
type gauges struct {
	mu   sync.Mutex
	last map[string]float64 // by name and Region
	sum  map[string]float64
}

func newGauges() *gauges { return &gauges{last: map[string]float64{}, sum: map[string]float64{}} }

// Observe implements replica.Observer.
func (g *gauges) Observe(name, region string, value float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last[name+" "+region] = value
	g.sum[name+" "+region] += value
}

func (g *gauges) get(name, region string) (v float64, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v, ok = g.last[name+" "+region]
	return v, ok
}

func (g *gauges) total(name, region string) float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sum[name+" "+region]
}

// becomes waits until a value is known and as it should be.
func (g *gauges) becomes(t *testing.T, name, region string, is func(float64) bool) {
	t.Helper()
	eventually(t, name+" of "+region, func() bool {
		v, ok := g.get(name, region)
		return ok && is(v)
	})
}

func is(want float64) func(float64) bool { return func(v float64) bool { return v == want } }
func positive(v float64) bool            { return v > 0 }

func TestObserverIsToldHowTheRegionIs(t *testing.T) {
	t.Parallel()
	g := newGauges()
	c := configOf(virginia, t.TempDir())
	c.Observer, c.ObserveEvery = g, 20*time.Millisecond
	began := float64(time.Now().Unix()) // the first start of a Region is numbered by the time
	us := open(t, c)
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	for i := range 3 {
		signIn(t, us, "u-1", fmt.Sprint("home-", i))
	}
	signIn(t, eu, "u-2", "away")
	require.NoError(t, us.Sessions().End(background(t), "key-home-0"))
	require.NoError(t, us.View().Update(putUser(center.User{ID: "u-3", UserName: "u-3"})))
	require.NoError(t, eu.Sessions().RevokeUser(background(t), "u-9"))

	g.becomes(t, replica.ObservedReady, virginia, is(1))
	g.becomes(t, replica.ObservedServerAnswers, virginia, is(1))
	g.becomes(t, replica.ObservedSessions, virginia, is(2))
	g.becomes(t, replica.ObservedSessions, frankfurt, is(1))
	g.becomes(t, replica.ObservedDirBytes, virginia, positive)
	for _, region := range []string{virginia, frankfurt} {
		for _, name := range []string{replica.ObservedConfigBytes, replica.ObservedSessionsBytes,
			replica.ObservedConfigPosition, replica.ObservedSessionsPosition} {
			g.becomes(t, name, region, positive)
		}
	}
	for _, region := range []string{virginia, frankfurt} {
		g.becomes(t, replica.ObservedGeneration, region,
			func(v float64) bool { return v >= began && v <= float64(time.Now().Unix()) })
	}
	g.becomes(t, replica.ObservedRevokedBytes, frankfurt, positive)
	g.becomes(t, replica.ObservedRevokedPosition, frankfurt, is(1))
	g.becomes(t, replica.ObservedReachable, frankfurt, is(1))
	g.becomes(t, replica.ObservedReplicated, frankfurt, is(1))
	g.becomes(t, replica.ObservedLagSeconds, frankfurt, positive)
	g.becomes(t, replica.ObservedMaxLagSeconds, frankfurt, positive)
	g.becomes(t, replica.ObservedHeardSeconds, frankfurt, func(v float64) bool { return v >= 0 && v < 60 })
	g.becomes(t, replica.ObservedClockSeconds, frankfurt, func(v float64) bool { return v > -10 && v < 10 })
	g.becomes(t, replica.ObservedWriteSeconds, virginia, positive)
	assert.GreaterOrEqual(t, g.total(replica.ObservedWrites, virginia), 5.0, "three sessions, an end, a user")
	assert.Zero(t, g.total(replica.ObservedWritesFailed, virginia))
	_, known := g.get(replica.ObservedReachable, virginia)
	assert.False(t, known, "the Region doesn't follow itself")

	eu.Close()
	g.becomes(t, replica.ObservedReachable, frankfurt, is(0))
	g.becomes(t, replica.ObservedReplicated, frankfurt, is(0))
	before, _ := g.get(replica.ObservedHeardSeconds, frankfurt)
	g.becomes(t, replica.ObservedHeardSeconds, frankfurt, func(v float64) bool { return v > before })
}

func TestObserverIsToldWhatTheDiskHasLeft(t *testing.T) {
	if !slices.Contains([]string{"linux", "darwin", "freebsd"}, runtime.GOOS) {
		testkit.Skip(t, "package syscall has no statfs here")
	}
	g := newGauges()
	c := configOf(virginia, t.TempDir())
	c.Observer = g // once is enough, and at once
	open(t, c)
	g.becomes(t, replica.ObservedDiskLeftBytes, virginia, positive)
}

func TestObserverOfAClusterThatIsDown(t *testing.T) {
	t.Parallel()
	cl := newCluster(t, virginia, 1)
	g := newGauges()
	c := cl.config(virginia)
	c.Observer, c.ObserveEvery = g, 20*time.Millisecond
	n := open(t, c)
	require.NoError(t, n.View().Update(putUser(center.User{ID: "u-3", UserName: "u-3"})))
	g.becomes(t, replica.ObservedServerAnswers, virginia, is(1))
	g.becomes(t, replica.ObservedConfigBytes, virginia, positive)
	_, known := g.get(replica.ObservedDirBytes, virginia)
	require.False(t, known, "the servers' disks are not this Node's")

	cl.stop(0)
	require.Error(t, n.Sessions().EndSignIn(background(t), "u-1", "s", time.Now()))
	g.becomes(t, replica.ObservedServerAnswers, virginia, is(0))
	eventually(t, "a write that failed", func() bool { return g.total(replica.ObservedWritesFailed, virginia) > 0 })
}

// The page for operators explains each value, and none that there isn't.
func TestObservedValuesAreExplained(t *testing.T) {
	source, err := os.ReadFile("observer.go")
	require.NoError(t, err)
	page, err := os.ReadFile("OPERATING.md")
	require.NoError(t, err)
	var names, explained []string
	for _, m := range regexp.MustCompile(`(?m)^\tObserved\w+ += "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, m[1])
	}
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`\\w+`(?:, )?)+) \\|").FindAllStringSubmatch(string(page), -1) {
		explained = append(explained, strings.Split(strings.ReplaceAll(m[1], "`", ""), ", ")...)
	}
	require.NotEmpty(t, names)
	require.ElementsMatch(t, names, explained)
}
