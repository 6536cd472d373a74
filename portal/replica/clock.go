package replica

import "time"

// Every answer of a peer says what time it is there. So each Region knows how
// far the others' clocks are from its own, to within the time that an answer
// takes. It only reports this: Portal decides by it, together with what verified
// assertions say.

// maxTrip is the longest way of a question and its answer that says enough of
// the time.
const maxTrip = 10 * time.Second

// tellClock notes what time it is in an answer, which was held for so long.
func (n *Node) tellClock(a *answer, held time.Duration) {
	a.Now, a.Held = n.cfg.Now().UnixMicro(), held.Microseconds()
}

// clock takes what an answer says of the peer's clock, half way between the
// question and now but for the time that it was held there.
func (f *follower) measureClock(asked time.Time, a answer) {
	now := f.n.cfg.Now()
	trip := now.Sub(asked) - time.Duration(a.Held)*time.Microsecond
	if a.Now == 0 || trip < 0 || trip > maxTrip {
		return
	}
	ahead := time.UnixMicro(a.Now).Sub(now.Add(-trip / 2))
	skew := f.n.cfg.Skew
	f.mu.Lock()
	wrong, before := ahead.Abs() > skew, f.ahead.Abs() > skew
	f.ahead, f.timed = ahead, true
	f.mu.Unlock()
	if wrong && !before {
		f.n.cfg.Logger.Warn("replica: this clock and a peer's differ by more than Config.Skew", "region", f.n.cfg.Region, "peer", f.region, "peer_ahead", ahead.Round(time.Second).String())
	}
}
