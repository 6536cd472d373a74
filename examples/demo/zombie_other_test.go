//go:build unix && !linux

package main

// zombie can't tell: there, who ends is taken care of by process 1 in time.
func zombie(int) bool { return false }
