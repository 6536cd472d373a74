package telemetry_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// observedNames reads the names of package replica's values from its source.
func observedNames(t *testing.T) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../portal/replica/observer.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Observed") {
			name, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			names = append(names, name)
		}
		return true
	})
	require.Greater(t, len(names), 15)
	return names
}

// Every value of package replica is a metric, with its unit.
func TestReplication(t *testing.T) {
	m := newMeters(t, nil)
	names := observedNames(t)
	for i, name := range names {
		m.Observe(name, "us", float64(i+1))
	}
	m.Observe("unknown", "us", 1)
	got := m.read()
	require.Len(t, got, len(names))
	for i, name := range names {
		metric := strings.TrimSuffix(name, "_seconds")
		series := "meridian.replication." + metric + "{cloud.region=eu,replication.region=us}"
		require.InDelta(t, i+1, got[series], 0, "%s of %v", series, got)
	}
	require.Contains(t, got, "meridian.replication.lag{cloud.region=eu,replication.region=us}")
}

// A value that is no longer reported is missing, and not the last one for ever. Writes add up.
func TestStaleReplication(t *testing.T) {
	m := newMeters(t, nil)
	m.Observe(replica.ObservedLagSeconds, "us", 3)
	m.Observe(replica.ObservedReady, "eu", 1)
	m.Observe(replica.ObservedWrites, "eu", 2)
	m.clock.Advance(50 * time.Second)
	m.Observe(replica.ObservedReady, "eu", 1)
	m.Observe(replica.ObservedWrites, "eu", 3)
	require.Len(t, m.named("meridian.replication.lag"), 1)
	m.clock.Advance(20 * time.Second)
	require.Empty(t, m.named("meridian.replication.lag"))
	require.Len(t, m.named("meridian.replication.ready"), 1)
	require.Equal(t, map[string]float64{"{cloud.region=eu,replication.region=eu}": 5},
		m.named("meridian.replication.writes"))
}

// A Telemetry is the Observer of a Region's replica.
func TestReplicationOfANode(t *testing.T) {
	m := newMeters(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n, err := replica.Open(ctx, replica.Config{
		Region: "eu-central-1", Dir: t.TempDir(), InsecurePlaintext: true,
		Observer: m.Telemetry, ObserveEvery: 10 * time.Millisecond,
		Seed: center.Data{Regions: []center.Region{{
			Name: "eu-central-1", Status: center.RegionActive, PortalURLs: []string{"https://eu.example"},
			ACSURLs: []string{"https://eu.example/acs"},
		}}},
	})
	require.NoError(t, err)
	t.Cleanup(n.Close)
	require.Eventually(t, func() bool {
		return m.named("meridian.replication.ready")["{cloud.region=eu,replication.region=eu-central-1}"] == 1
	}, time.Minute, 10*time.Millisecond)
}
