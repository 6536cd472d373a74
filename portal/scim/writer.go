package scim

import (
	"errors"
	"sync"

	"github.com/meridian-saml/meridian/portal/center"
)

// A writer combines concurrent changes into one update. An update copies and checks the whole instance, so the
// requests that arrive during one wait, and the next update makes all their changes. A change that is refused
// doesn't affect the others.
type writer struct {
	view View

	mu    sync.Mutex
	queue []*job // waiting for the next update
	busy  bool   // an update is being made, or its leader is about to
}

// A job is one request's change.
type job struct {
	// apply checks everything before it changes anything. It may run more than once; the last run counts.
	apply func(*state) *Error
	err   *Error
	// wake receives true if this job's goroutine is to make the next update, and false when the job is done.
	wake chan bool
}

// do returns after the change is made or refused. It doesn't stop when the client disconnects: the change may
// be part of an update with others.
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

// lead makes one update of all waiting jobs, its own included, and then wakes the first of those that arrived
// meanwhile to lead. It wakes the others even if an update panics.
func (w *writer) lead(own *job) {
	w.mu.Lock()
	batch := w.queue
	w.queue = nil
	w.mu.Unlock()
	finished := false
	defer func() {
		for _, j := range batch {
			if !finished { // an update panicked
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
	if err := w.update(batch); err != nil && len(batch) > 1 && invalid(err) {
		// A change breaks a rule of the instance that apply doesn't check. Made one by one, only that change
		// fails.
		for i := range batch {
			_ = w.update(batch[i : i+1])
		}
	}
	finished = true
}

// update makes the changes of a batch and sets their errors.
func (w *writer) update(batch []*job) error {
	for _, j := range batch {
		j.err = nil
	}
	err := w.view.Update(func(tx *center.Tx) error {
		st := newState(tx.Data(), tx)
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

// invalid reports whether an update failed because of its content, and not because no update can be made now.
func invalid(err error) bool {
	var c *center.Error
	return errors.As(err, &c) && c.Reason != center.ReasonNotPrimary
}
