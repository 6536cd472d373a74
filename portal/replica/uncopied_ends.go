package replica

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// uncopiedEnds are messages that end sessions, took effect here from other Regions'
// answers, and are not in the copies yet. A Region that is followed is asked again, after
// a restart, for what its copy lacks. One that isn't followed any more is not, so this is
// written first: see copyEnds.
//
// What a crash takes from it was never counted as Heard. When the primary removes a
// Region, nothing of it is uncopied by the time that the removal is on disk here: see
// hold.
type uncopiedEnds struct {
	mu   sync.Mutex
	of   map[string][]uncopiedEnd // by stream, in their order
	size map[string]int           // bytes of each
	// held are the Regions whose messages take effect only from the copy. true: an update
	// that is being made here removes the Region.
	held map[string]bool
	less chan struct{} // closed when something is copied
}

type uncopiedEnd struct {
	store string
	message
}

// maxUncopied bounds, in bytes of a stream, what a peer can make this Node hold while
// copies can't be written. Beyond that the oldest messages are dropped: they are lost if
// the Region is not followed any more when they can.
const maxUncopied = 8 << 20

func newUncopiedEnds() *uncopiedEnds {
	return &uncopiedEnds{of: map[string][]uncopiedEnd{}, size: map[string]int{}, held: map[string]bool{}, less: make(chan struct{})}
}

// add notes a message that is about to take effect. It returns false if that has to wait
// for the copy.
func (u *uncopiedEnds) add(region, stream, store string, m message) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, held := u.held[region]; held {
		return false
	}
	all := u.of[stream]
	if n := len(all); n > 0 && all[n-1].store == store && all[n-1].Seq >= m.Seq {
		return true // it was heard before, and is asked for again
	}
	all = append(all, uncopiedEnd{store, m})
	u.size[stream] += m.size()
	for u.size[stream] > maxUncopied {
		u.size[stream] -= all[0].size()
		all = all[1:]
	}
	u.of[stream] = all
	return true
}

// copied notes that the copy of a stream holds everything up to a position.
func (u *uncopiedEnds) copied(stream string, at position) {
	u.keep(stream, func(all []uncopiedEnd) []uncopiedEnd { // list may have returned all
		return slices.DeleteFunc(slices.Clone(all), func(m uncopiedEnd) bool { return m.store == at.store && m.Seq <= at.seq })
	})
}

// through drops a message and those before it, if it is still there.
func (u *uncopiedEnds) through(stream string, last uncopiedEnd) {
	u.keep(stream, func(all []uncopiedEnd) []uncopiedEnd {
		return all[1+slices.IndexFunc(all, func(m uncopiedEnd) bool { return m.store == last.store && m.Seq == last.Seq }):]
	})
}

// keep keeps the messages of a stream that left returns.
func (u *uncopiedEnds) keep(stream string, left func([]uncopiedEnd) []uncopiedEnd) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.of[stream]) == 0 {
		return
	}
	u.of[stream], u.size[stream] = left(u.of[stream]), 0
	for _, m := range u.of[stream] {
		u.size[stream] += m.size()
	}
	if len(u.of[stream]) == 0 {
		delete(u.of, stream)
		delete(u.size, stream)
	}
	close(u.less)
	u.less = make(chan struct{})
}

// clear drops everything.
func (u *uncopiedEnds) clear() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.of)
	clear(u.size)
}

func (u *uncopiedEnds) list(stream string) []uncopiedEnd {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.of[stream]
}

// regions returns the Regions of which something is uncopied.
func (u *uncopiedEnds) regions() (out []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for stream := range u.of {
		for _, k := range streamKinds {
			if region, ok := strings.CutPrefix(stream, k.stream("")); ok {
				out = append(out, region)
			}
		}
	}
	return out
}

// hold stops a Region's messages from taking effect ahead of the copy, until release, and
// waits until nothing of it is uncopied, for most at most. The follower goes on copying
// meanwhile: it needs no lock that the caller may hold.
func (u *uncopiedEnds) hold(ctx context.Context, region string, update bool, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		u.mu.Lock()
		u.held[region] = update || u.held[region]
		done, less := len(u.of[kindRevoked.stream(region)])+len(u.of[kindSessions.stream(region)]) == 0, u.less
		u.mu.Unlock()
		if done {
			return
		}
		select {
		case <-less:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// release ends that, if the update was not made or the Region is followed anew.
func (u *uncopiedEnds) release(region string, update bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if update || !u.held[region] {
		delete(u.held, region)
	}
}
