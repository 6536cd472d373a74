package merge_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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

// run takes so many steps, and stops at the first that leaves something wrong.
func (w *world) run(steps int) error {
	for i := range steps {
		r := w.step()
		wrong := w.oracle.check(w, r)
		if i%500 == 499 || i == steps-1 {
			wrong = append(wrong, w.settle()...)
			w.oracle.forget(w)
			w.note(w.all[0], "quiet", "")
		}
		if len(wrong) > 0 {
			return fmt.Errorf("step %d:\n%s\nthe last events:\n%s", i, strings.Join(wrong, "\n"), strings.Join(w.trace, "\n"))
		}
	}
	return nil
}

// Three Regions write, sign in and revoke while messages are lost, doubled,
// delayed and reordered, Regions are cut off and crash between any two writes,
// and clocks are moved. After each step nothing acknowledged is lost and nothing
// is alive after its end was heard; when all is quiet all know the same.
// MERIDIAN_SIM_STEPS takes more steps, and MERIDIAN_SIM_SEED replays a seed.
func TestSimulation(t *testing.T) {
	seed := number(t, "MERIDIAN_SIM_SEED", rand.Uint64())
	w := newWorld(seed)
	err := w.run(int(number(t, "MERIDIAN_SIM_STEPS", 5000)))
	require.NoError(t, err, "MERIDIAN_SIM_SEED=%d", seed)
	for _, event := range slices.Sorted(maps.Keys(w.events)) {
		t.Logf("%s: %d", event, w.events[event])
	}
}

// A seed replays: all that happens follows from it.
func TestSimulationReplays(t *testing.T) {
	one, two, other := newWorld(7), newWorld(7), newWorld(8)
	for _, w := range []*world{one, two, other} {
		require.NoError(t, w.run(1000))
	}
	require.Equal(t, one.trace, two.trace)
	require.Equal(t, one.hash, two.hash)
	require.NotEqual(t, one.hash, other.hash)
}
