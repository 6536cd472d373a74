package run

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A service provider may fall over a message, or be busy with it for a minute.
// What comes next would then be said to be refused, or stay open, for no reason
// of its own. So a user is signed in whenever an attack came to nothing.

const (
	stoppedAnswering = "the service provider stopped answering"
	hadStopped       = "the service provider had stopped answering"
)

// watch is what is known about that.
type watch struct {
	waiting sync.Mutex // held by the one that waits

	mu   sync.Mutex
	over bool   // guarded by mu: nothing is sent any more
	last string // guarded by mu: the attack that ended last
	at   string // guarded by mu: the one that is to blame
}

// over says that the service provider is gone.
func (r *runner) over() bool {
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	return r.watch.over
}

// answers reports whether a good response is accepted. It waits for that as long
// as Target.Recovery says, once: if it is in vain the run is over.
func (r *runner) answers(ctx context.Context) bool {
	if !r.way.found() {
		return true // there was none from the beginning
	}
	r.watch.waiting.Lock()
	defer r.watch.waiting.Unlock()
	if r.over() {
		return false
	}
	until := time.Now().Add(r.Recovery)
	for pause := 50 * time.Millisecond; r.runTwin(ctx, good, r.way).Verdict != Accepted; pause = min(2*pause, time.Second) {
		if time.Now().Add(pause).After(until) {
			r.watch.mu.Lock()
			defer r.watch.mu.Unlock()
			r.watch.over = ctx.Err() == nil
			return false
		}
		select {
		case <-ctx.Done():
			return true // it isn't the service provider that stopped
		case <-time.After(pause):
		}
	}
	return true
}

// attempt makes one try of an attack.
func (r *runner) attempt(ctx context.Context, w way, try func() RunResult) RunResult {
	out := r.timed(w, try)
	if ctx.Err() == nil && out.Verdict.nothing() && r.answers(ctx) && out.Verdict == Inconclusive {
		out = r.timed(w, try) // it was busy with what came before
	}
	switch {
	case !out.Verdict.nothing():
	case ctx.Err() != nil:
		if out.Verdict == Failed {
			out.Verdict, out.Reason = Inconclusive, "the run was broken off"
		}
	case r.over():
		out.Verdict, out.Reason = Failed, stoppedAnswering
	}
	return out
}

func (r *runner) timed(w way, try func() RunResult) RunResult {
	began, sent := time.Now(), r.sent.Load()
	out := try()
	out.How, out.Duration, out.sent = w.String(), time.Since(began), r.sent.Load() != sent
	return out
}

// nothing: the service provider may be gone.
func (v Verdict) nothing() bool { return v == Failed || v == Inconclusive }

// blame says, at the end of each attack, whether it is the one after which the
// service provider stopped answering. If it had sent nothing yet it is the one before.
func (r *runner) blame(out *Result) {
	w := &r.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := slices.ContainsFunc(out.Runs, func(run RunResult) bool { return run.sent })
	switch {
	case !w.over && sent:
		w.last = out.ID
	case !w.over:
	case sent && w.at == "":
		w.at = out.ID
		out.stopped()
	case w.at == "":
		w.at = w.last
		out.leaveOpen()
	}
}

// lookBack ends a run: a service provider that has fallen over the last attack,
// or has locked all users out, is noticed now.
func (r *runner) lookBack(ctx context.Context, out *Report) {
	w := &r.watch
	if ctx.Err() == nil && w.last != "" && !r.answers(ctx) && w.at == "" {
		w.at = w.last
	}
	out.StoppedAt = w.at
	for i := range out.Results {
		if x := &out.Results[i]; x.ID == w.at {
			x.stopped()
			out.Notes = append(out.Notes, stoppedAnswering+" at "+x.ID)
		}
	}
}
