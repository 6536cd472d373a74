package acs

import (
	"slices"
	"time"
)

// pace is how many responses are processed at the same time. It learns this from how long accepted sign-ins take, from
// their admission until OnLogin returns: as TCP Vegas does, it compares with the time of one that is alone. While a
// sign-in takes about as long in company as alone, the limit grows; when it takes more than twice as long, the stores
// or the processors have a queue, and the limit shrinks. A sign-in of less than tolerable is never too slow.
//
// Refused responses don't count, because they don't reach the stores: an attacker can't change the limit with them.
// The median counts, so that a minority of slow sign-ins doesn't, either.
//
// If the stores become slower altogether, the limit falls to one, and those sign-ins are alone: so the new time is
// learned, and the limit grows from there. A limit that wasn't used shrinks, so that a burst begins carefully.
type pace struct {
	most      int // the limit is never higher
	limit     int
	inProcess int
	started   int // responses, in total

	alone   time.Duration // of a sign-in that is alone; zero: not known yet
	alones  []time.Duration
	steady  bool // the limit has been too high before, so it grows by one
	peak    int  // in process, in this window
	times   []time.Duration
	changed time.Time // when the window began
}

const (
	firstLimit = 2
	leastTimes = 4  // in a window
	mostTimes  = 64 // in a window
	rememberIn = 5  // sign-ins that were alone
	// tolerable is too short to tell a queue from noise.
	tolerable = 5 * time.Millisecond
	// unused is the age of a window in which the limit was not reached, after which it shrinks.
	unused = time.Second
)

func newPace(most int) pace {
	return pace{most: most, limit: min(firstLimit, most), changed: time.Now()}
}

func (p *pace) free() bool { return p.inProcess < p.limit }

// begin counts a response, and returns its number.
func (p *pace) begin() int {
	p.inProcess++
	p.started++
	p.peak = max(p.peak, p.inProcess)
	return p.started
}

// end counts the end of a response. took is the time of an accepted sign-in, or 0.
func (p *pace) end(took time.Duration, alone bool, now time.Time) {
	p.inProcess--
	if took == 0 {
		return
	}
	if alone {
		p.alones = append(p.alones, took)
		p.alones = p.alones[max(0, len(p.alones)-rememberIn):]
		p.alone = median(p.alones)
	}
	p.times = append(p.times, took)
	if len(p.times) >= min(max(p.limit, leastTimes), mostTimes) || now.Sub(p.changed) >= unused {
		p.adapt(now)
	}
}

// adapt ends a window.
func (p *pace) adapt(now time.Time) {
	typical := median(p.times)
	if p.alone == 0 {
		p.alone = slices.Min(p.times) // the first one was alone, or nearly
	} else if typical < p.alone {
		p.alone, p.alones = (3*p.alone+typical)/4, nil
	}
	used := p.peak >= p.limit
	switch slow := max(2*p.alone, p.alone+tolerable); {
	case typical > slow:
		p.steady = true
		p.limit = max(1, min(p.limit-1, int(float64(p.limit)*float64(slow)/float64(typical))))
	case used && typical <= p.alone+(slow-p.alone)/2 && p.steady:
		p.limit++
	case used && typical <= p.alone+(slow-p.alone)/2:
		p.limit *= 2
	case !used && now.Sub(p.changed) >= unused && p.limit > firstLimit:
		p.limit, p.steady = max(firstLimit, p.limit/2), false
	}
	p.limit = min(p.limit, p.most)
	p.times, p.peak, p.changed = p.times[:0], p.inProcess, now
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
