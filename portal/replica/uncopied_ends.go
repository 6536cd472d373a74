package replica

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// uncopiedEnds are what took effect here from other Regions' answers, and is not in the
// copies yet: messages that end sessions, as they are in the originals. A Region
// that is followed is asked again after a restart for what its copy lacks. One
// that isn't followed any more is not, so that this is written first: see copyEnds.
//
// What a crash takes from it was never said to be Heard. Where the primary
// removes a Region, nothing of it is uncopied by the time that the removal is on
// disk here: see hold.
type uncopiedEnds struct {
	mu   sync.Mutex
	of   map[string][]uncopiedEnd // by stream, in their order
	size map[string]int           // bytes of each
	// held are the Regions of which nothing is taken ahead of the copy. true: an
	// update that is being made here removes them.
	held map[string]bool
	less chan struct{} // closed when something is copied
}

type uncopiedEnd struct {
	store string
	message
}

// maxUncopied bounds, in bytes of a stream, what a peer can have this Node hold
// while copies can't be made. Of more than that, the oldest is let go of: it is
// lost if the Region is not followed any more when they can.
const maxUncopied = 8 << 20

func newUncopiedEnds() *uncopiedEnds {
	return &uncopiedEnds{of: map[string][]uncopiedEnd{}, size: map[string]int{}, held: map[string]bool{}, less: make(chan struct{})}
}

func (m message) size() int { return len(m.Subject) + len(m.Data) + 200 }

// add notes a message that is about to take effect. It says false where that has
// to wait for the copy.
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

// copied notes that the copy of a stream holds all up to a position.
func (u *uncopiedEnds) copied(stream string, at position) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.of[stream]) == 0 {
		return
	}
	var left []uncopiedEnd
	u.size[stream] = 0
	for _, m := range u.of[stream] {
		if m.store != at.store || m.Seq > at.seq {
			left = append(left, m)
			u.size[stream] += m.size()
		}
	}
	u.set(stream, left)
}

// set is called with mu held.
func (u *uncopiedEnds) set(stream string, left []uncopiedEnd) {
	if u.of[stream] = left; len(left) == 0 {
		delete(u.of, stream)
		delete(u.size, stream)
	}
	close(u.less)
	u.less = make(chan struct{})
}

// through lets go of what is before a message, and of the message.
func (u *uncopiedEnds) through(stream string, last uncopiedEnd) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.of[stream], func(m uncopiedEnd) bool { return m.store == last.store && m.Seq == last.Seq })
	if i < 0 { // it is gone by now
		return
	}
	for _, m := range u.of[stream][:i+1] {
		u.size[stream] -= m.size()
	}
	u.set(stream, u.of[stream][i+1:])
}

// clear lets go of everything.
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

// hold has nothing of a Region take effect ahead of its copy, until release, and
// waits until nothing of it is uncopied, for so long at most. The follower goes on
// copying meanwhile: it needs nothing that the caller may hold.
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

// release ends that, where an update was not made, or the Region is followed anew.
func (u *uncopiedEnds) release(region string, update bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if update || !u.held[region] {
		delete(u.held, region)
	}
}
