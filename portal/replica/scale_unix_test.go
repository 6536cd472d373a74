//go:build unix

package replica_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// What a change costs, by the size of the instance. MEASURED.md has results. CPU is that of the process, with all its
// Regions, without what it used while nothing changed. Run with -benchtime 1x -run ^$ and a -timeout of some minutes.
// MERIDIAN_PEOPLE replaces the sizes, MERIDIAN_ROUNDS the number of rounds of which the median is reported.

// people are the sizes of the instances.
func people(b *testing.B) (out []int) {
	for _, s := range strings.Split(os.Getenv("MERIDIAN_PEOPLE"), ",") {
		if s == "" {
			return []int{10_000, 100_000}
		}
		n, err := strconv.Atoi(s)
		require.NoError(b, err)
		out = append(out, n)
	}
	return out
}

func rounds(b *testing.B, otherwise int) int {
	s := os.Getenv("MERIDIAN_ROUNDS")
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	require.NoError(b, err)
	return n
}

// workforce is users, of whom a hundred are in each group, and assignments of the groups.
func workforce(users int, regions ...string) center.Data {
	d := center.Data{PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}}}
	for _, r := range regions {
		d.Regions = append(d.Regions, center.Region{Name: r})
	}
	for i := range users {
		d.Users = append(d.Users, worker(i, "first"))
	}
	for i := range users / 100 {
		g := center.Group{ID: fmt.Sprintf("g-%d", i), Name: fmt.Sprintf("Group %d", i)}
		for m := range 100 {
			g.Members = append(g.Members, fmt.Sprintf("id-%d", i*100+m))
		}
		account := center.Account{ID: fmt.Sprintf("%012d", i), Name: fmt.Sprintf("Account %d", i)}
		d.Groups, d.Accounts = append(d.Groups, g), append(d.Accounts, account)
		d.Assignments = append(d.Assignments, center.Assignment{
			Principal: center.GroupPrincipal(g.ID), AccountID: account.ID, PermissionSet: "ReadOnly",
		})
	}
	for i := range 20 {
		d.Applications = append(d.Applications, center.Application{
			ID: fmt.Sprintf("app-%d", i), Name: fmt.Sprintf("App %d", i), URL: "https://app.example",
			Region: regions[0], AssignedTo: []center.Principal{center.GroupPrincipal("g-0"), center.UserPrincipal("id-1")},
		})
	}
	return d
}

func worker(i int, title string) center.User {
	return center.User{
		ID: fmt.Sprintf("id-%d", i), UserName: fmt.Sprintf("user%d@example.com", i),
		DisplayName: fmt.Sprintf("User %d, %s", i, title), Email: fmt.Sprintf("user%d@example.com", i),
	}
}

// cpu is the time that the process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A fleet is an instance in several Regions, all in this process.
type fleet struct {
	nodes []*replica.Node
	idle  float64 // CPU seconds a second while nothing changes
}

func newFleet(b *testing.B, users int, regions ...string) *fleet {
	return newFleetOf(b, users, 0, regions...)
}

func newFleetOf(b *testing.B, users int, eraseAfter time.Duration, regions ...string) *fleet {
	f := &fleet{}
	for _, region := range regions {
		c := configOf(region, b.TempDir())
		c.Heartbeat, c.EraseAfter = time.Second, eraseAfter // zero: the default
		if region == virginia {
			c.Seed = workforce(users, regions...)
		}
		f.nodes = append(f.nodes, open(b, c))
	}
	mesh(b, f.nodes...)
	f.await(b, worker(0, "first"))
	const quiet = 4 * time.Second
	before := cpu(b)
	time.Sleep(quiet) // nothing to wait for: this measures doing nothing
	f.idle = (cpu(b) - before).Seconds() / quiet.Seconds()
	return f
}

func (f *fleet) close() {
	for _, n := range f.nodes {
		n.Close()
	}
}

// await waits until all Regions show a user as it is here.
func (f *fleet) await(b *testing.B, want center.User) {
	for _, n := range f.nodes {
		for began := time.Now(); ; time.Sleep(time.Millisecond) {
			if u, ok := n.View().UserByID(want.ID); ok && u == want {
				break
			}
			require.Less(b, time.Since(began), hang)
		}
	}
}

// spent is the CPU of a change that takes effect in all Regions, and how long that takes.
func (f *fleet) spent(b *testing.B, change func() (last center.User)) (used, wall time.Duration) {
	began, before := time.Now(), cpu(b)
	f.await(b, change())
	wall = time.Since(began)
	return cpu(b) - before - time.Duration(f.idle*float64(wall)), wall
}

func middle(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2].Microseconds()) / 1000
}

// BenchmarkOneChange makes 1,000 changes of one user each, ten times a hundred. What it reports is a change's cost in
// each Region.
func BenchmarkOneChange(b *testing.B) {
	for _, users := range people(b) {
		for _, regions := range [][]string{{virginia, frankfurt}, {virginia, frankfurt, mumbai}} {
			b.Run(fmt.Sprintf("people=%d/Regions=%d", users, len(regions)), func(b *testing.B) {
				f := newFleet(b, users, regions...)
				defer f.close()
				for range b.N {
					var used, wall []time.Duration
					for round := range rounds(b, 10) {
						u, w := f.spent(b, func() (last center.User) {
							for i := range 100 {
								last = worker((round*100+i)*7919%users, fmt.Sprintf("%d %d", round, i))
								require.NoError(b, f.nodes[0].View().Update(putUser(last)))
							}
							return last
						})
						used, wall = append(used, u), append(wall, w)
					}
					b.ReportMetric(middle(used)/100/float64(len(regions)), "cpu-ms/change/Region")
					b.ReportMetric(middle(wall)/100, "ms/change")
					b.ReportMetric(f.idle*100/float64(len(regions)), "idle-%/Region")
				}
			})
		}
	}
}

// BenchmarkUpdateOf10000 changes 10,000 users in one update, at each size in turn, three times.
func BenchmarkUpdateOf10000(b *testing.B) {
	sizes := people(b)
	var fleets []*fleet
	for _, users := range sizes {
		f := newFleet(b, users, virginia, frankfurt)
		defer f.close()
		fleets = append(fleets, f)
	}
	for range b.N {
		used, wall := make([][]time.Duration, len(sizes)), make([][]time.Duration, len(sizes))
		for round := range rounds(b, 3) {
			for k, f := range fleets {
				u, w := f.spent(b, func() (last center.User) {
					require.NoError(b, f.nodes[0].View().Update(func(tx *center.Tx) error {
						for i := range 10_000 {
							last = worker(i*(sizes[k]/10_000), fmt.Sprint("update ", round))
							if err := tx.PutUser(last); err != nil {
								return err
							}
						}
						return nil
					}))
					return last
				})
				used[k], wall[k] = append(used[k], u), append(wall[k], w)
			}
		}
		for k, users := range sizes {
			b.ReportMetric(middle(used[k]), fmt.Sprintf("cpu-ms/people=%d", users))
			b.ReportMetric(middle(wall[k]), fmt.Sprintf("ms/people=%d", users))
		}
	}
}

// BenchmarkErase changes one user and lets the data be erased, which writes the whole log again, in every Region.
func BenchmarkErase(b *testing.B) {
	for _, users := range people(b) {
		b.Run(fmt.Sprintf("people=%d", users), func(b *testing.B) {
			const after = 3 * time.Second
			f := newFleetOf(b, users, after, virginia, frankfurt)
			defer f.close()
			for round := range b.N {
				used, wall := f.spent(b, func() (last center.User) {
					last = worker(1, fmt.Sprint(round))
					require.NoError(b, f.nodes[0].View().Update(putUser(last)))
					time.Sleep(5 * after) // long enough: nothing shows outside when it is done
					return last
				})
				b.ReportMetric(float64(used.Milliseconds())/2, "cpu-ms/Region")
				b.ReportMetric(float64(wall.Milliseconds()), "ms")
			}
		})
	}
}
