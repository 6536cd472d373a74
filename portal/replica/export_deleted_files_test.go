package replica

import "time"

// Looker returns what has a Node look at its server's streams as it does every
// second, at that time.
func Looker(n *Node) func(time.Time) map[string]string {
	looks, before := unrecovered{}, map[string]string{}
	return func(now time.Time) map[string]string {
		before, _ = n.trouble(looks, before, now)
		return before
	}
}
