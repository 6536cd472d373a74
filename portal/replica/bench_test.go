package replica_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// large is 10,000 users, 1,000 groups of 20 and 5,000 assignments.
func large(regions ...string) center.Data {
	d := center.Data{}
	for _, r := range regions {
		d.Regions = append(d.Regions, center.Region{Name: r})
	}
	for i := range 10_000 {
		d.Users = append(d.Users,
			center.User{UserName: userName(i), DisplayName: fmt.Sprintf("User %d", i), Email: userName(i)})
	}
	for i := range 10 {
		d.PermissionSets = append(d.PermissionSets, center.PermissionSet{Name: fmt.Sprintf("set%d", i)})
	}
	for i := range 1_000 {
		g := center.Group{Name: fmt.Sprintf("group%d", i)}
		for m := range 20 {
			g.Members = append(g.Members, userName((i*20+m)%10_000))
		}
		d.Groups = append(d.Groups, g)
		d.Accounts = append(d.Accounts, center.Account{ID: fmt.Sprintf("%012d", i), Name: fmt.Sprintf("Account %d", i)})
	}
	for i := range 5_000 {
		d.Assignments = append(d.Assignments, center.Assignment{
			Principal: center.GroupPrincipal(d.Groups[i%1_000].Name), AccountID: d.Accounts[i%997].ID,
			PermissionSet: d.PermissionSets[i/1_000].Name,
		})
	}
	return d
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Rule 20, measured: the initial replication of a large instance, and how long
// each of 200 later changes takes from its acknowledgement until a second
// Region shows it. Run it with -benchtime 1x.
func BenchmarkRule20LargeInstance(b *testing.B) {
	for range b.N {
		before := heap()
		c := configOf(virginia, b.TempDir())
		c.Seed = large(virginia, frankfurt)
		began := time.Now()
		us := open(b, c)
		b.ReportMetric(time.Since(began).Seconds(), "s/seed")
		c.Seed = center.Data{}
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB/Region")

		eu := open(b, configOf(frankfurt, b.TempDir()))
		began = time.Now()
		require.NoError(b, us.AddPeer(background(b), frankfurt, replica.Peer{URL: eu.Addr()}))
		require.NoError(b, eu.AddPeer(background(b), virginia, replica.Peer{URL: us.Addr()}))
		require.NoError(b, eu.Ready(background(b)))
		b.ReportMetric(time.Since(began).Seconds(), "s/initial")

		var lags []time.Duration
		for i := range 200 {
			id := fmt.Sprintf("new%d", i)
			require.NoError(b, us.View().Update(putUser(center.User{ID: id, UserName: id})))
			written := time.Now()
			for ok := false; !ok; _, ok = eu.View().UserByID(id) {
				time.Sleep(time.Millisecond) // not eventually, which looks too seldom for this
			}
			lags = append(lags, time.Since(written))
		}
		slices.Sort(lags)
		b.ReportMetric(float64(lags[100].Microseconds())/1000, "ms/lag-median")
		b.ReportMetric(float64(lags[199].Microseconds())/1000, "ms/lag-max")
		require.Equal(b, portal.PeerReplicated, eu.Peers()[0].State)
		b.Logf("%d elements; Peers says: lag %v, max %v", eu.Peers()[0].Total, eu.Peers()[0].Lag, eu.Peers()[0].MaxLag)
		us.Close()
		eu.Close()
	}
}

func BenchmarkSessions(b *testing.B) {
	n := open(b, configOf(virginia, b.TempDir()))
	ctx := context.Background()
	make := func(b *testing.B, workers int) {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := w; i < b.N; i += workers {
					id := fmt.Sprintf("%d-%d-%d", workers, b.N, i)
					if err := n.Sessions().Create(ctx, "key-"+id, at(n, session("u-1", id, nil))); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
	}
	b.Run("Create", func(b *testing.B) { make(b, 1) })
	b.Run("CreateBy64", func(b *testing.B) { make(b, 64) })
	b.Run("Get", func(b *testing.B) {
		require.NoError(b, n.Sessions().Create(ctx, "key", at(n, session("u-2", "s", nil))))
		for b.Loop() {
			if _, err := n.Sessions().Get(ctx, "key"); err != nil {
				b.Fatal(errors.Join(err))
			}
		}
	})
}
