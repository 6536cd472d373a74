package merge_test

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// number reads a number from the environment.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	require.NoError(t, err, name)
	return n
}

// A violation is where a seed went wrong.
type violation struct {
	seed  uint64
	step  int
	wrong []string
	last  []string
}

func (v *violation) Error() string {
	return fmt.Sprintf("MERIDIAN_SIM_SEED=%d, step %d:\n%s\nthe last events:\n%s", v.seed, v.step,
		strings.Join(v.wrong, "\n"), strings.Join(v.last, "\n"))
}

// run takes so many steps from a seed, in one world after another, and stops at
// the first that leaves something wrong. A world doesn't last: what was lost in it
// is not asked about again.
func run(seed uint64, steps int) (w *world, err *violation) {
	events, left := map[string]int{}, 0
	for i := range steps {
		if left == 0 {
			w = newWorld(seed, i, events)
			if left = 1 + w.rand.IntN(2*perWorld); w.noDamage && w.one(0.3) {
				left *= 4
			}
		}
		left--
		wrong := w.oracle.check(w, w.step())
		if w.quiet--; w.quiet == 0 || left == 0 || i == steps-1 {
			w.quiet = 1 + w.rand.IntN(2*quietEvery)
			wrong = append(wrong, w.settle()...)
		}
		if len(wrong) > 0 {
			return w, &violation{seed, i, wrong, w.last()}
		}
	}
	return w, nil
}

const (
	quietEvery = 1500  // steps between two times at which all is quiet, on average
	perWorld   = 3000  // steps of one world, on average
	perSeed    = 20000 // steps of one seed
	allSteps   = 10_000_000
)

// Regions write, sign in and revoke while everything goes wrong that a world has
// in store: see world.trouble. After each step nothing acknowledged is lost,
// nothing is alive after its end was heard, nothing was accepted twice; when all
// is quiet all know the same.
//
// CI takes 1 % of 10,000,000 steps, from the same seeds each time. Each kind of
// event occurs at least 1,000 times in 10,000,000 steps, and in 1 % of them 5 times.
// MERIDIAN_SIM_STEPS takes another number, MERIDIAN_SIM_FROM other seeds, from
// that one on, and MERIDIAN_SIM_SEED replays one.
func TestSimulation(t *testing.T) {
	usual := uint64(allSteps / 100)
	if testing.Short() {
		usual /= 20
	}
	seed, steps := number(t, "MERIDIAN_SIM_SEED", 0), int(number(t, "MERIDIAN_SIM_STEPS", usual))
	if seed != 0 {
		if _, err := run(seed, min(steps, perSeed)); err != nil {
			t.Fatal(err)
		}
		return
	}
	first, worlds := number(t, "MERIDIAN_SIM_FROM", 1), (steps+perSeed-1)/perSeed
	events, mu, next, wait := map[string]int{}, sync.Mutex{}, make(chan uint64), sync.WaitGroup{}
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for seed := range next {
				w, err := run(seed, min(steps, perSeed))
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				for event, n := range w.events {
					events[event] += n
				}
				mu.Unlock()
			}
		})
	}
	for i := range worlds {
		if !t.Failed() {
			next <- first + uint64(i)
		}
	}
	close(next)
	wait.Wait()
	for _, event := range slices.AppendSeq([]string{"reads again", "older generation"}, maps.Keys(simRare)) {
		events[event] += 0
	}
	for _, event := range slices.Sorted(maps.Keys(events)) {
		t.Logf("%s: %d", event, events[event])
		switch least := steps / (allSteps / 1000); {
		case t.Failed():
		case steps >= allSteps:
			assert.GreaterOrEqual(t, events[event], least, event)
		case steps >= allSteps/100: // by chance there may be fewer
			assert.GreaterOrEqual(t, events[event], least/2, event)
		}
	}
}

// Seeds from 1 on, a line for each: at which step it went wrong, or -1. It is for
// TestSimulationFindsFaults.
func TestSimulationSeeds(t *testing.T) {
	seeds, steps := number(t, "MERIDIAN_SIM_SEEDS", 0), int(number(t, "MERIDIAN_SIM_STEPS", perSeed))
	if seeds == 0 {
		testkit.Skip(t, "MERIDIAN_SIM_SEEDS is not set")
	}
	first := number(t, "MERIDIAN_SIM_FROM", 1)
	for seed := first; seed < first+seeds; seed++ {
		at := -1
		if _, err := run(seed, steps); err != nil {
			at = err.step
		}
		fmt.Printf("seed %d step %d\n", seed, at)
	}
}

// A seed replays: all that happens follows from it.
func TestSimulationReplays(t *testing.T) {
	one, err := run(7, 3000)
	require.Nil(t, err)
	two, _ := run(7, 3000)
	other, _ := run(8, 3000)
	require.Equal(t, one.last(), two.last())
	require.Equal(t, one.hash, two.hash)
	require.NotEqual(t, one.hash, other.hash)
}
