package replica

import "time"

// DueAgain fills a history, and returns how many keys are due at once, how many are after that, and how many it holds.
func DueAgain(keys int) (first, second, held int) {
	var h history[int]
	for k := range keys {
		if h.due(k, time.Hour) {
			first++
		}
	}
	for k := range keys {
		if h.due(keys+k, 0) {
			second++
		}
	}
	return first, second, len(h.at)
}
