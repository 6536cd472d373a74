package run

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Verdict is the result of an attack. The list is closed.
type Verdict string

const (
	// Refused: no user was signed in.
	Refused Verdict = "refused"
	// Failed: no user was signed in, but the service provider did not answer,
	// or answered with status 500 or above.
	Failed Verdict = "failed"
	// LetIn: the attack succeeded. A user was signed in who must not be, or was
	// redirected to the attacker's URL.
	LetIn Verdict = "let in"
	// Tolerated: the hostile message was accepted, but the attacker gained
	// nothing that the identity provider had not asserted, or the
	// specifications leave the choice.
	Tolerated Verdict = "tolerated"
	// Accepted: the message is unusual but valid, and was accepted.
	Accepted Verdict = "accepted"
	// Stricter: the message is unusual but valid, and was refused.
	Stricter Verdict = "stricter"
	// Inconclusive: no sign-in began, or the twin, the same message without the attack, got no answer. If no good
	// response at all is accepted, every attack is inconclusive.
	Inconclusive Verdict = "inconclusive"
	// NotRun: the attack needs something that this run lacks: see [Need].
	NotRun Verdict = "not run"
)

// Word returns the word for readers, who need fewer than the eight verdicts: "let in", "unusual but legal" (Accepted
// and Tolerated), "refused" (Refused and Stricter), "no clear answer" (Failed and Inconclusive) or "not run".
func (v Verdict) Word() string {
	switch v {
	case Tolerated, Accepted:
		return unusual
	case Refused, Stricter:
		return refused
	case Failed, Inconclusive:
		return unclear
	}
	return string(v)
}

const (
	refused = "refused"
	unusual = "unusual but legal"
	unclear = "no clear answer"
)

// severity orders verdicts. The attack has the verdict with the highest
// severity of its runs.
func (v Verdict) severity() int {
	return slices.Index([]Verdict{NotRun, Inconclusive, Accepted, Refused, Stricter, Failed, Tolerated, LetIn}, v)
}

// undecided reports whether the attack has no result.
func (v Verdict) undecided() bool { return v == Inconclusive || v == NotRun }

// Result is the result of one attack.
type Result struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Reference string `json:"reference,omitempty"`
	// Expected is "refused" or "accepted".
	Expected string  `json:"expected"`
	Verdict  Verdict `json:"verdict"`
	// Word is the verdict's word for readers: see [Verdict.Word].
	Word string `json:"word"`
	// Reason explains the verdict where that is needed.
	Reason string `json:"reason,omitempty"`
	// Severity is set for attacks that were let in, and Needs for those that were not run.
	Severity Severity `json:"severity,omitempty"`
	Needs    Need     `json:"needs,omitempty"`
	// Identity is the user who was signed in.
	Identity string `json:"identity,omitempty"`
	// Runs are the ways in which it was tried.
	Runs     []RunResult   `json:"runs,omitempty"`
	Duration time.Duration `json:"nanoseconds"`
}

// RunResult is the result of one attempt.
type RunResult struct {
	// How says what the identity provider signed, and with what kind of key.
	How      string  `json:"how"`
	Verdict  Verdict `json:"verdict"`
	Reason   string  `json:"reason,omitempty"`
	Needs    Need    `json:"needs,omitempty"`
	Identity string  `json:"identity,omitempty"`
	// Status and Says are the service provider's answer to the message.
	Status   int           `json:"status,omitempty"`
	Says     string        `json:"says,omitempty"`
	Duration time.Duration `json:"nanoseconds"`

	sent        bool // more than the beginning of a sign-in was sent
	twinRefused bool // the same message without the attack was refused
}

// summarize sets the verdict to the most severe one of the runs.
func (r *Result) summarize() {
	highest := -1
	for _, run := range r.Runs {
		r.Duration += run.Duration
		w := run.Verdict.severity()
		if w > highest || run.Verdict == LetIn && run.forged() && !r.forged() {
			highest = w
			r.Verdict, r.Reason, r.Identity, r.Needs = run.Verdict, run.Reason, run.Identity, run.Needs
		}
	}
}

// label sets what follows from the verdict.
func (r *Result) label() {
	r.Word, r.Severity = r.Verdict.Word(), ""
	if r.Verdict == LetIn {
		p, _ := problemOf(*r)
		r.Severity = p.severity
	}
}

// markStopped makes r the result of the attack that stopped the service
// provider. A more severe verdict of another way of signing stays.
func (r *Result) markStopped() {
	if r.Verdict.severity() <= Failed.severity() {
		r.Verdict, r.Reason, r.Needs = Failed, stoppedAnswering, ""
	}
}

// markNotRun makes r the result of an attack after the service provider stopped.
func (r *Result) markNotRun() {
	*r = Result{ID: r.ID, Title: r.Title, Expected: r.Expected, Reference: r.Reference}
	r.Verdict, r.Reason, r.Needs = NotRun, hadStopped, NeedRestart
}

// Report has the results of all attacks.
type Report struct {
	ServiceProvider string    `json:"serviceProvider"`
	ACS             string    `json:"acs"`
	Started         time.Time `json:"started"`
	// Good has a line for each way of signing: whether the service provider
	// accepts a good response, or why not.
	Good    []RunResult `json:"good"`
	Results []Result    `json:"results"`
	// StoppedAt is the attack after which the service provider stopped answering.
	// Empty: it answered to the end.
	StoppedAt string `json:"stoppedAt,omitempty"`
	// Notes are other observations: of cookies, for example.
	Notes    []string      `json:"notes,omitempty"`
	Duration time.Duration `json:"nanoseconds"`
}

// Count returns how many attacks have a verdict.
func (r *Report) Count(v Verdict) int {
	n := 0
	for _, x := range r.Results {
		if x.Verdict == v {
			n++
		}
	}
	return n
}

// count returns how many attacks have one of the verdicts with a word.
func (r *Report) count(word string) int {
	n := 0
	for _, x := range r.Results {
		if x.Verdict.Word() == word {
			n++
		}
	}
	return n
}

// Exit returns the exit status for a program: 1 if an attack was let in; 3 if an
// attack had no clear answer (Failed or Inconclusive), the service provider
// stopped answering or no attack was run; otherwise 0. Tolerated attacks, and
// those not run for another reason, don't change it. 2 is reserved for usage
// errors.
func (r *Report) Exit() int {
	switch {
	case r.Count(LetIn) > 0:
		return 1
	case r.count(unclear) > 0 || r.StoppedAt != "" || r.Count(NotRun) == len(r.Results):
		return 3
	}
	return 0
}

// Rest lists the attacks that were not run because the service provider had
// stopped answering, for Target.Only of a run against the restarted one.
func (r *Report) Rest() []string {
	var out []string
	for _, x := range r.Results {
		if x.Needs == NeedRestart {
			out = append(out, x.ID)
		}
	}
	return out
}

// Merge copies the results of Rest, and StoppedAt, from the report of a later
// run. Good stays unchanged.
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

// Entry is one line of the list of attacks.
type Entry struct {
	ID, Title, Expected, Reference string
	// Severity is that of the attack if it is let in. An attack that signs a forged name in is a Hole in any case.
	Severity Severity
}

func (e Entry) result() Result {
	return Result{ID: e.ID, Title: e.Title, Expected: e.Expected, Reference: e.Reference}
}

func newEntry(id, title, expected, reference string) Entry {
	p, _ := problemOf(Result{ID: id})
	return Entry{id, title, expected, reference, p.severity}
}

func caseEntry(c attack.Case) Entry {
	expected := "refused"
	if c.Outcome.Accepted() {
		expected = "accepted"
	}
	return newEntry(c.ID, c.Name, expected, c.Reference)
}

func (f flow) entry() Entry {
	row, _ := attack.RowOf(f.id)
	title, expected := cmp.Or(f.title, row.Name), "refused"
	if strings.HasPrefix(title, "twin: ") {
		expected = "accepted"
	}
	return newEntry(f.id, title, expected, row.Reference)
}

// List lists every attack that [Run] knows: the messages of [attack.Cases],
// [attack.MetadataCases], [attack.LogoutCases], [attack.ArtifactCases] and
// [attack.AttributeCases], and the scripted ones, in the order of the catalogue.
func List() []Entry {
	var out []Entry
	for _, c := range attack.Cases() {
		out = append(out, caseEntry(c))
	}
	for _, c := range attack.MetadataCases() {
		out = append(out, metadataEntry(c))
	}
	for _, c := range attack.LogoutCases() {
		out = append(out, logoutEntry(c))
	}
	for _, c := range attack.ArtifactCases() {
		out = append(out, artifactEntry(c))
	}
	for _, c := range attack.AttributeCases() {
		out = append(out, attributeEntry(c))
	}
	for _, f := range flows() {
		out = append(out, f.entry())
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return compareIDs(a.ID, b.ID) })
	return out
}

// compareIDs orders by row. A stable sort keeps the order within a row.
func compareIDs(a, b string) int { return strings.Compare(a[:3], b[:3]) }
