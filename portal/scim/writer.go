package scim

import (
	"errors"
	"sync"

	"github.com/meridian-saml/meridian/portal/center"
)

// A writer puts changes that come at the same time into one update. An update
// copies and checks the whole instance, so while one is made, the requests
// that arrive wait, and the next update takes them all. Each stays all or
// nothing for itself: one that is refused leaves the others alone.
type writer struct {
	view View

	mu    sync.Mutex
	queue []*job // waiting for the next update
	busy  bool   // an update is being made, or its leader is on the way
}

// A job is one request's change.
type job struct {
	// apply checks everything before it changes anything. It may run more than
	// once; the last run counts.
	apply func(*state) *Error
	err   *Error
	// wake gets true when this job's goroutine is to make the next update, and
	// false when the job is done.
	wake chan bool
}

// do returns after the change is made, or refused. It doesn't give up when the
// client goes away: by then the change may be part of an update with others.
func (w *writer) do(apply func(*state) *Error) *Error {
	j := &job{apply: apply, wake: make(chan bool, 1)}
	w.mu.Lock()
	w.queue = append(w.queue, j)
	lead := !w.busy
	w.busy = true
	w.mu.Unlock()
	if lead || <-j.wake {
		w.lead(j)
	}
	return j.err
}

// lead makes one update of all that waits, its own job included, and then
// hands over to the first of those that came meanwhile. The others are woken
// even if something in here panics.
func (w *writer) lead(own *job) {
	w.mu.Lock()
	batch := w.queue
	w.queue = nil
	w.mu.Unlock()
	finished := false
	defer func() {
		for _, j := range batch {
			if !finished { // a panic is on its way through here
				j.err = &Error{Reason: ReasonInternal, Detail: "the change could not be made"}
			}
			if j != own {
				j.wake <- false
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.busy = len(w.queue) > 0; w.busy {
			w.queue[0].wake <- true
		}
	}()
	if err := w.update(batch); err != nil && len(batch) > 1 && broken(err) {
		// Something in the batch breaks a rule of the instance that apply
		// doesn't know. Only the one that did it may suffer.
		for i := range batch {
			_ = w.update(batch[i : i+1])
		}
	}
	finished = true
}

// update makes the changes of a batch and fills in what became of each.
func (w *writer) update(batch []*job) error {
	for _, j := range batch {
		j.err = nil
	}
	err := w.view.Update(func(tx *center.Tx) error {
		st := &state{index: newIndex(tx.Data()), tx: tx}
		for _, j := range batch {
			j.err = j.apply(st)
		}
		return nil
	})
	if err != nil {
		for _, j := range batch {
			if j.err == nil {
				j.err = fromCenter(err)
			}
		}
	}
	return err
}

// broken says whether an update failed for what was in it, and not because
// updates fail here and now.
func broken(err error) bool {
	var c *center.Error
	return errors.As(err, &c) && c.Reason != center.ReasonNotPrimary
}
