//go:build unix

package main

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestSeventeenRegions measures the start of 3 and of 17 Regions in turn, three times, and then what 17 Regions use
// during five quiet minutes, with MERIDIAN_CAPACITY=17.
func TestSeventeenRegions(t *testing.T) {
	if os.Getenv("MERIDIAN_CAPACITY") != "17" {
		t.Skip("MERIDIAN_CAPACITY=17 measures 17 Regions, for some ten minutes")
	}
	const people, rounds = 10_000, 3
	var ratios []float64
	for round := range rounds {
		three := start(t, 3, people)
		three.close()
		all := start(t, 17, people)
		ratios = append(ratios, all.activeCPU.Seconds()/three.activeCPU.Seconds())
		t.Logf("3 Regions are active after %.1f s and %.1f s of CPU, 17 after %.1f s and %.1f s of CPU: ratio %.1f",
			three.activeWall.Seconds(), three.activeCPU.Seconds(), all.activeWall.Seconds(), all.activeCPU.Seconds(),
			ratios[round])
		if round == rounds-1 {
			idle := all.idle(5 * time.Minute)
			t.Logf("17 quiet Regions: %.2f %% of a core in each", 100*idle/17)
		}
		all.close()
	}
	slices.Sort(ratios)
	assert.LessOrEqual(t, ratios[rounds/2], 9.0, "the median")
}
