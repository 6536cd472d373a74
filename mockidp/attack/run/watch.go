package run

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A message may stop a service provider, or keep it busy for a minute. The next
// attacks would then wrongly count as refused or inconclusive. So a user signs
// in after every attack without a result.

const (
	stoppedAnswering = "the service provider stopped answering"
	hadStopped       = "the service provider had stopped answering"
)

// watch is the state of the service provider.
type watch struct {
	waiting sync.Mutex // held while waiting for it

	mu      sync.Mutex
	stopped bool   // guarded by mu: it has stopped, and nothing is sent any more
	last    string // guarded by mu: the attack that ended last
	at      string // guarded by mu: the attack that stopped it
}

// hasStopped reports whether the service provider has stopped.
func (r *runner) hasStopped() bool {
	r.watch.mu.Lock()
	defer r.watch.mu.Unlock()
	return r.watch.stopped
}

// responsive reports whether a good response is accepted. It waits for at most
// Target.Recovery, once in a run. After that the service provider counts as
// stopped.
func (r *runner) responsive(ctx context.Context) bool {
	if !r.way.found() {
		return true // no way was accepted from the start
	}
	r.watch.waiting.Lock()
	defer r.watch.waiting.Unlock()
	if r.hasStopped() {
		return false
	}
	until := time.Now().Add(r.Recovery)
	pause := 50 * time.Millisecond
	for r.runTwin(ctx, good, r.way).Verdict != Accepted {
		if time.Now().Add(pause).After(until) {
			r.watch.mu.Lock()
			defer r.watch.mu.Unlock()
			r.watch.stopped = ctx.Err() == nil
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
	out := r.measure(w, try)
	if ctx.Err() == nil && out.Verdict.mayHaveStopped() && r.responsive(ctx) && out.Verdict == Inconclusive {
		out = r.measure(w, try) // it was busy with the attack before
	}
	switch {
	case !out.Verdict.mayHaveStopped():
	case ctx.Err() != nil:
		if out.Verdict == Failed {
			out.Verdict, out.Reason = Inconclusive, "the run was cancelled"
		}
	case r.hasStopped():
		out.Verdict, out.Reason = Failed, stoppedAnswering
	}
	return out
}

func (r *runner) measure(w way, try func() RunResult) RunResult {
	began, sent := time.Now(), r.sent.Load()
	out := try()
	out.How, out.Duration, out.sent = w.String(), time.Since(began), r.sent.Load() != sent
	return out
}

// mayHaveStopped reports whether the service provider may have stopped.
func (v Verdict) mayHaveStopped() bool { return v == Failed || v == Inconclusive }

// attributeStop is called at the end of each attack. If the service provider
// has stopped, it records the attack that stopped it: this one, or the previous
// one if this one had sent nothing yet.
func (r *runner) attributeStop(out *Result) {
	w := &r.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := slices.ContainsFunc(out.Runs, func(run RunResult) bool { return run.sent })
	switch {
	case !w.stopped && sent:
		w.last = out.ID
	case !w.stopped:
	case sent && w.at == "":
		w.at = out.ID
		out.markStopped()
	case w.at == "":
		w.at = w.last
		out.markNotRun()
	}
}

// finishWatch ends a run. It detects a service provider that the last attack
// has stopped, or that has locked out all users.
func (r *runner) finishWatch(ctx context.Context, out *Report) {
	w := &r.watch
	if ctx.Err() == nil && w.last != "" && !r.responsive(ctx) && w.at == "" {
		w.at = w.last
	}
	out.StoppedAt = w.at
	for i := range out.Results {
		if x := &out.Results[i]; x.ID == w.at {
			x.markStopped()
			out.Notes = append(out.Notes, stoppedAnswering+" at "+x.ID)
		}
	}
}
