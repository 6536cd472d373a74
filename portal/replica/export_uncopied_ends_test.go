package replica

import "time"

// DropUncopied keeps as many ends of a session as fit, and drops them one by one, as after a write of each. It returns
// how many there were, how long that took, and how many are left.
func DropUncopied() (kept int, took time.Duration, left int) {
	u, of := newUncopiedEnds(), regionStream{"eu-central-1", kindSessions}
	m := message{Subject: kindSessions.prefix(of.region) + "ended.key", Data: make([]byte, 100)}
	for m.Seq = 1; m.Seq <= 40_000; m.Seq++ {
		u.add(of, "store", m)
	}
	all := u.list(of)
	began := time.Now()
	for _, m := range all {
		u.through(of, m)
	}
	return len(all), time.Since(began), len(u.of) + len(u.size)
}
