package run

import "slices"

// What is left to do after a service provider stopped answering.

// stopped makes it the result of the attack that is to blame. What came in by
// another way of signing weighs more.
func (r *Result) stopped() {
	if r.Verdict.weight() <= Failed.weight() {
		r.Verdict, r.Reason = Failed, stoppedAnswering
	}
}

// leaveOpen makes it the result of an attack that came too late.
func (r *Result) leaveOpen() {
	*r = Result{ID: r.ID, Title: r.Title, Reference: r.Reference, Expected: r.Expected, Verdict: NotRun, Reason: hadStopped}
}

// Rest lists the attacks that were not run because the service provider had
// stopped answering, for Target.Only of a run against one that was started anew.
func (r *Report) Rest() []string {
	var out []string
	for _, x := range r.Results {
		if x.Verdict == NotRun && x.Reason == hadStopped {
			out = append(out, x.ID)
		}
	}
	return out
}

// Merge takes what became of the Rest from the report of a later run, and with it
// where that stopped. The good responses stay those of the first.
func (r *Report) Merge(later *Report) {
	rest := r.Rest()
	for i, x := range r.Results {
		at := slices.IndexFunc(later.Results, func(y Result) bool { return y.ID == x.ID })
		if at >= 0 && slices.Contains(rest, x.ID) {
			r.Results[i] = later.Results[at]
		}
	}
	for _, n := range later.Notes {
		if !slices.Contains(r.Notes, n) {
			r.Notes = append(r.Notes, n)
		}
	}
	r.StoppedAt = later.StoppedAt
	r.Duration += later.Duration
}
