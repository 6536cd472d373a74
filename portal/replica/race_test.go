//go:build race

package replica_test

// raceDetector says whether the tests run with it.
const raceDetector = true
