package run

import (
	"cmp"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Verdict is what became of an attack. The list is closed.
type Verdict string

const (
	// Refused: no user was signed in.
	Refused Verdict = "refused"
	// Failed: no user was signed in, but the service provider did not answer, or
	// with a status of 500 and above.
	Failed Verdict = "failed"
	// LetIn: a user was signed in who must not be, or was sent where the
	// attacker wanted.
	LetIn Verdict = "let in"
	// Tolerated: the hostile message was accepted, and nothing was gained by it
	// that the identity provider had not said; or specifications leave the choice.
	Tolerated Verdict = "tolerated"
	// Accepted: the message is odd but right, and was accepted.
	Accepted Verdict = "accepted"
	// Stricter: the message is odd but right, and was refused.
	Stricter Verdict = "stricter"
	// Inconclusive: the twin, the same message without the attack, was not
	// accepted, or no sign-in came about at all.
	Inconclusive Verdict = "inconclusive"
	// NotRun: it takes something that this run does not have.
	NotRun Verdict = "not run"
)

// weight orders the verdicts of one attack's runs: the heaviest is the attack's.
func (v Verdict) weight() int {
	return slices.Index([]Verdict{NotRun, Inconclusive, Accepted, Refused, Stricter, Failed, Tolerated, LetIn}, v)
}

// Result is what became of one attack.
type Result struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Reference string `json:"reference,omitempty"`
	// Expected is "refused" or "accepted".
	Expected string  `json:"expected"`
	Verdict  Verdict `json:"verdict"`
	// Reason says why, where the verdict does not speak for itself.
	Reason string `json:"reason,omitempty"`
	// Identity is the user who was signed in.
	Identity string `json:"identity,omitempty"`
	// Runs are the ways in which it was tried.
	Runs     []RunResult   `json:"runs,omitempty"`
	Duration time.Duration `json:"nanoseconds"`
}

// RunResult is one try.
type RunResult struct {
	// How says what the identity provider signed, and with what kind of key.
	How      string  `json:"how"`
	Verdict  Verdict `json:"verdict"`
	Reason   string  `json:"reason,omitempty"`
	Identity string  `json:"identity,omitempty"`
	// Status and Says are the service provider's answer to the message.
	Status   int           `json:"status,omitempty"`
	Says     string        `json:"says,omitempty"`
	Duration time.Duration `json:"nanoseconds"`

	sent bool // the service provider got more to read than the beginning of a sign-in
}

// sum takes the verdict of the heaviest run.
func (r *Result) sum() {
	heaviest := -1
	for _, run := range r.Runs {
		r.Duration += run.Duration
		if w := run.Verdict.weight(); w > heaviest {
			heaviest = w
			r.Verdict, r.Reason, r.Identity = run.Verdict, run.Reason, run.Identity
		}
	}
}

// Report is what became of all attacks.
type Report struct {
	ServiceProvider string    `json:"serviceProvider"`
	ACS             string    `json:"acs"`
	Started         time.Time `json:"started"`
	// Good says in which ways of signing the service provider accepts a good
	// response, and why not where it doesn't.
	Good    []RunResult `json:"good"`
	Results []Result    `json:"results"`
	// StoppedAt is the attack after which the service provider did not answer any
	// more. Empty: it answered to the end.
	StoppedAt string `json:"stoppedAt,omitempty"`
	// Notes are what else was seen: of cookies, for example.
	Notes    []string      `json:"notes,omitempty"`
	Duration time.Duration `json:"nanoseconds"`
}

// Count says how many attacks had a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, x := range r.Results {
		if x.Verdict == v {
			n++
		}
	}
	return n
}

// Exit is the status for a program to exit with: 1 if anything hostile was let
// in, 3 if something stayed open, the service provider stopped answering or
// nothing was run at all, and 0 if everything that was run was refused. What was
// tolerated, or not run for another reason, does not change it. 2 is left for
// wrong usage.
func (r *Report) Exit() int {
	switch {
	case r.Count(LetIn) > 0:
		return 1
	case r.Count(Inconclusive) > 0 || r.StoppedAt != "" || r.Count(NotRun) == len(r.Results):
		return 3
	}
	return 0
}

// Entry is one line of the list of attacks.
type Entry struct {
	ID, Title, Expected, Reference string
}

// List lists every attack that [Run] knows: the documents of [attack.Cases] and the
// scripted ones, in the order of the catalogue.
func List() []Entry {
	var out []Entry
	for _, c := range attack.Cases() {
		expected := "refused"
		if c.Outcome.Accepted() {
			expected = "accepted"
		}
		out = append(out, Entry{c.ID, c.Name, expected, c.Reference})
	}
	for _, f := range flows() {
		row, _ := attack.RowOf(f.id)
		out = append(out, Entry{f.id, cmp.Or(f.title, row.Name), "refused", row.Reference})
	}
	slices.SortStableFunc(out, func(a, b Entry) int {
		return compareIDs(a.ID, b.ID)
	})
	return out
}

// compareIDs orders by row, and leaves a row's own order alone.
func compareIDs(a, b string) int {
	switch {
	case a[:3] < b[:3]:
		return -1
	case a[:3] > b[:3]:
		return 1
	}
	return 0
}
