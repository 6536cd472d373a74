package scim

import (
	"errors"
	"sync"

	"github.com/meridian-saml/meridian/portal/center"
)

// A writer combines concurrent changes of one client into one update, because each update is written to disk and sent
// to the other Regions on its own, with its actor. Requests that arrive during an update wait, and the next updates,
// one for each client, make all their changes. A refused change doesn't affect the others.
type writer struct {
	view View
	turn chan struct{} // holds one element during an update

	mu    sync.Mutex // guards queue
	queue []*job     // waiting for the next update
}

// A job is one request's change.
type job struct {
	token Token
	// apply makes all checks before the first change. It may run more than once; the last run counts.
	apply func(*state) *Error

	done chan struct{} // closed when err is final
	err  *Error
}

// do returns after the change is made or refused. It doesn't stop when the client disconnects: the change may be
// part of an update with others. The first request whose turn it is makes the update for all. The others return when
// that update is done: they don't wait for their turns, which would be behind later updates.
func (w *writer) do(t Token, apply func(*state) *Error) *Error {
	j := &job{token: t, apply: apply, done: make(chan struct{})}
	w.mu.Lock()
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	select {
	case <-j.done:
		return j.err
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	}
	select {
	case <-j.done: // both were possible
	default:
		w.mu.Lock()
		batch := w.queue
		w.queue = nil
		w.mu.Unlock()
		w.flush(batch)
	}
	return j.err
}

// flush makes the changes of a batch, in an update for each client.
func (w *writer) flush(batch []*job) {
	for len(batch) > 0 {
		var one, others []*job
		for _, j := range batch {
			if j.token.actor() == batch[0].token.actor() {
				one = append(one, j)
			} else {
				others = append(others, j)
			}
		}
		w.flushOne(one)
		batch = others
	}
}

// flushOne makes the changes of one client's batch.
func (w *writer) flushOne(batch []*job) {
	begin := func() {
		for _, j := range batch { // an update that panics leaves this error
			j.err = &Error{Reason: ReasonInternal, Detail: "the change could not be made"}
		}
	}
	defer func() {
		for _, j := range batch {
			close(j.done)
		}
	}()
	begin()
	if err := w.update(batch); err != nil && len(batch) > 1 && invalid(err) {
		// One change breaks a rule of the instance that apply doesn't check. Make the changes one by one, so that only
		// that one fails.
		begin()
		for i := range batch {
			_ = w.update(batch[i : i+1])
		}
	}
}

// update makes one update and sets the errors of its jobs.
func (w *writer) update(batch []*job) error {
	errs := make([]*Error, len(batch))
	err := w.view.Update(func(tx *center.Tx) error {
		tx.By(batch[0].token.actor())
		all := newStates(tx, tx)
		for i, j := range batch {
			st, err := all.of(j.token)
			if errs[i] = err; err == nil {
				errs[i] = j.apply(st)
			}
		}
		return nil
	})
	for i, j := range batch {
		if j.err = errs[i]; j.err == nil && err != nil {
			j.err = fromCenter(err)
		}
	}
	return err
}

// invalid reports whether an update failed because of its content, and not because updates are unavailable.
func invalid(err error) bool {
	var c *center.Error
	return errors.As(err, &c) && c.Reason != center.ReasonNotPrimary
}
