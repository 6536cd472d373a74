package run

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A message may stop a service provider, or keep it busy for a minute. The next
// attacks would then count as refused or inconclusive for no reason of their own.
// So a user signs in after every attack without a result.

const (
	stoppedAnswering = "the service provider stopped answering"
	hadStopped       = "the service provider had stopped answering"
)

// watch is the state of the service provider.
type watch struct {
	waiting sync.Mutex // held while waiting for it

	mu   sync.Mutex
	over bool   // guarded by mu: it has stopped, and nothing is sent any more
	last string // guarded by mu: the attack that ended last
	at   string // guarded by mu: the attack that stopped it
}

// over reports whether the service provider has stopped.
func (r *runner) over() bool {
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	return r.watch.over
}

// answers reports whether a good response is accepted. It waits for that for
// Target.Recovery, once in a run: then the run is over.
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
	pause := 50 * time.Millisecond
	for r.runTwin(ctx, good, r.way).Verdict != Accepted {
		if time.Now().Add(pause).After(until) {
			r.watch.mu.Lock()
			defer r.watch.mu.Unlock()
			r.watch.over = ctx.Err() == nil
			return false
		}
		select {
		case <-ctx.Done():
			return true // the run was cancelled; the service provider has not stopped
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
	return true
}

// attempt tries an attack once, and again if the service provider was busy.
func (r *runner) attempt(ctx context.Context, w way, try func() RunResult) RunResult {
	out := r.timed(w, try)
	if ctx.Err() == nil && out.Verdict.silent() && r.answers(ctx) && out.Verdict == Inconclusive {
		out = r.timed(w, try) // it was busy with the attack before
	}
	switch {
	case !out.Verdict.silent():
	case ctx.Err() != nil:
		if out.Verdict == Failed {
			out.Verdict, out.Reason = Inconclusive, "the run was cancelled"
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

// silent: the service provider may have stopped.
func (v Verdict) silent() bool { return v == Failed || v == Inconclusive }

// blame is called at the end of each attack. It decides whether this is the one
// after which the service provider stopped answering. If this one had sent nothing
// yet, it is the one before.
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

// lookBack ends a run. It notices a service provider that the last attack has
// stopped, or that has locked out all users.
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
