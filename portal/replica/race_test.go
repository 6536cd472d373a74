//go:build race

package replica_test

func init() { raceDetector = true }
