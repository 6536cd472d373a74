//go:build unix

package main

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

const (
	waited = 10 * time.Minute
	secret = "the secret of the measured Regions"
)

// Regions are the Regions of an instance, all in this process.
type regions struct {
	nodes []*replica.Node
	dirs  []string
	// activeCPU and activeWall are from the first Open until every Region is ready and listed as active.
	activeCPU, activeWall time.Duration
}

// cpu is what this process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// liveHeap is the memory in use after a collection.
func liveHeap() float64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func regionName(i int) string { return fmt.Sprintf("eu-%c-1", 'a'+i) }

func userID(i int) string { return fmt.Sprintf("u-%d", i) }

// instance has people, 100 groups of 100 of them, and 500 assignments.
func instance(n, people int) center.Data {
	var d center.Data
	for i := range n {
		r := center.Region{Name: regionName(i)}
		if i > 0 {
			r.Status = center.RegionAdding
		}
		d.Regions = append(d.Regions, r)
	}
	for i := range people {
		name := fmt.Sprintf("user%d@example.com", i)
		d.Users = append(d.Users,
			center.User{ID: userID(i), UserName: name, DisplayName: fmt.Sprintf("User %d", i), Email: name})
	}
	d.PermissionSets = []center.PermissionSet{{Name: "ReadOnly"}}
	for i := range 100 {
		g := center.Group{ID: fmt.Sprintf("g-%d", i), Name: fmt.Sprintf("group%d", i)}
		for m := range min(100, people/100) {
			g.Members = append(g.Members, userID((i*100+m)%people))
		}
		d.Groups = append(d.Groups, g)
		d.Accounts = append(d.Accounts, center.Account{ID: fmt.Sprintf("%012d", i), Name: fmt.Sprintf("Account %d", i)})
	}
	for i := range 500 {
		d.Assignments = append(d.Assignments, center.Assignment{
			Principal: center.GroupPrincipal(d.Groups[i%100].ID), AccountID: d.Accounts[(i/100*7+i)%100].ID,
			PermissionSet: "ReadOnly",
		})
	}
	return d
}

// start opens n Regions that follow each other, and waits until all are active.
func start(tb testing.TB, n, people int) *regions {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waited)
	tb.Cleanup(cancel)
	data := instance(n, people)
	runtime.GC()
	w, cpu0, wall0 := &regions{}, cpu(), time.Now()
	for i := range n {
		c := replica.Config{
			Region: regionName(i), Primary: regionName(0), Dir: tb.TempDir(), Listen: "127.0.0.1:0", Secret: secret,
			InsecurePlaintext: true, Logger: slog.New(slog.DiscardHandler),
		}
		if i == 0 {
			c.Seed = data
		}
		node, err := replica.Open(ctx, c)
		require.NoError(tb, err)
		tb.Cleanup(node.Close)
		w.nodes, w.dirs = append(w.nodes, node), append(w.dirs, c.Dir)
	}
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if a != b {
				require.NoError(tb, a.AddPeer(ctx, b.Region(), replica.Peer{URL: b.Addr()}))
			}
		}
	}
	for _, node := range w.nodes {
		require.NoError(tb, node.Ready(ctx))
	}
	for _, node := range w.nodes {
		until(tb, "active Regions", func() bool {
			for _, r := range node.View().Regions() {
				if r.Status != center.RegionActive {
					return false
				}
			}
			return true
		})
	}
	w.activeCPU, w.activeWall = cpu()-cpu0, time.Since(wall0)
	return w
}

// close ends all Regions.
func (w *regions) close() {
	for _, n := range w.nodes {
		n.Close()
	}
}

// until waits on a condition.
func until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(waited); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			require.Fail(tb, "waited too long", what)
		}
	}
}

// idle returns the share of a CPU that all Regions use together while nothing happens.
func (w *regions) idle(d time.Duration) float64 {
	runtime.GC()
	cpu0, wall0 := cpu(), time.Now()
	time.Sleep(d)
	return (cpu() - cpu0).Seconds() / time.Since(wall0).Seconds()
}

// busy returns the CPU time that work took, without what idle Regions would have used.
func busy(idle float64, work func()) time.Duration {
	cpu0, wall0 := cpu(), time.Now()
	work()
	return cpu() - cpu0 - time.Duration(idle*float64(time.Since(wall0)))
}

// changes makes single changes of users in the primary, each after the one before has arrived everywhere. It returns
// the longest way of each to another Region.
func (w *regions) changes(tb testing.TB, n, people int) (lags []time.Duration) {
	for i := range n {
		u, ok := w.nodes[0].View().UserByID(userID(i % people))
		require.True(tb, ok)
		u.DisplayName = fmt.Sprintf("Changed %d-%d", i, time.Now().UnixNano())
		require.NoError(tb, w.nodes[0].View().Update(func(tx *center.Tx) error { return tx.PutUser(u) }))
		began := time.Now()
		for _, node := range w.nodes {
			until(tb, "a change", func() bool {
				got, _ := node.View().UserByID(u.ID)
				return got.DisplayName == u.DisplayName
			})
		}
		lags = append(lags, time.Since(began))
	}
	return lags
}

// signIns makes sessions in all Regions in turn, each after all know the one before: a busy Region sends several at
// once, which costs less.
func (w *regions) signIns(tb testing.TB, round string, n, people int) {
	ctx := context.Background()
	key := func(i int) string { return fmt.Sprintf("key-%s-%d", round, i) }
	for i := range n {
		node, user := w.nodes[i%len(w.nodes)], userID(i%people)
		epoch, err := node.Sessions().Epoch(ctx, user)
		require.NoError(tb, err)
		now := time.Now()
		require.NoError(tb, node.Sessions().Create(ctx, key(i), sessions.Session{
			ID: key(i), SignIn: "s-" + key(i), UserID: user, UserName: user, Region: node.Region(),
			Created: now, Seen: now, Expires: now.Add(time.Hour), Epoch: epoch,
		}))
		for _, node := range w.nodes {
			until(tb, "a session", func() bool { _, err := node.Sessions().Get(ctx, key(i)); return err == nil })
		}
	}
}

// signOuts ends the sessions of as many users.
func (w *regions) signOuts(tb testing.TB, n, people int) {
	for i := range n {
		require.NoError(tb, w.nodes[i%len(w.nodes)].Sessions().RevokeUser(context.Background(), userID(i%people)))
	}
}

// disk is the size of all files of the first Region.
func (w *regions) disk(tb testing.TB) (bytes float64) {
	err := filepath.WalkDir(w.dirs[0], func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // files come and go
		}
		if info, err := e.Info(); err == nil {
			bytes += float64(info.Size())
		}
		return nil
	})
	require.NoError(tb, err)
	return bytes
}
