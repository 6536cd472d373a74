package main

import "runtime"

// Audiences returns the audiences in a message.
func Audiences(doc []byte) []string { return scan(doc).audiences }

// Find looks for a response, and reports how many bytes that allocates.
func Find(input []byte) (allocated uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := findMessage(input, 0)
	runtime.ReadMemStats(&after)
	if m.err != nil {
		err = m.err
	}
	return after.TotalAlloc - before.TotalAlloc, err
}
