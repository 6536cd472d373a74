package run

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
)

// Severity says what an attacker gains by an attack that was let in. The list is closed; RESULTS.md uses the same
// three classes.
type Severity string

const (
	// Hole gives an attacker without the identity provider's key another user's name, an assertion for another
	// recipient, or a page of the service provider.
	Hole Severity = "hole"
	// Weaker takes a stolen message, or the identity provider itself.
	Weaker Severity = "weaker"
	// Policy is a choice that the specifications leave to the service provider.
	Policy Severity = "policy"
)

// rank orders severities, the worst first.
func (s Severity) rank() int { return slices.Index([]Severity{Hole, Weaker, Policy}, s) }

// problem is a line of severities.txt.
type problem struct {
	ids      []string // IDs, rows and families, or "forged"
	severity Severity
	title    string
	means    string // what an attacker gains
}

// severityList lists the problems. Its first lines explain the format.
//
//go:embed severities.txt
var severityList string

func problems() []problem {
	var out []problem
	for line := range strings.Lines(severityList) {
		if f := strings.Split(line, "|"); len(f) == 4 && line[0] != '#' {
			out = append(out, problem{
				strings.Fields(f[0]), Severity(strings.TrimSpace(f[1])), strings.TrimSpace(f[2]), strings.TrimSpace(f[3]),
			})
		}
	}
	return out
}

// Reasons why an attack is a hole, whatever rule it breaks.
const (
	forgedName   = "signed in as the forged user"
	unsignedRole = "with an attribute that is not signed"
)

// forged reports whether an attack put an unsigned name or attribute into a session.
func (x Result) forged() bool { return showsForgery(x.Reason) }

func (x RunResult) forged() bool { return showsForgery(x.Reason) }

func showsForgery(reason string) bool {
	return strings.HasPrefix(reason, forgedName) || strings.HasSuffix(reason, unsignedRole)
}

// problemOf returns the problem that an attack shows which was let in, and its place in the list.
func problemOf(x Result) (problem, int) {
	all := problems()
	find := func(covers func(word string) bool) int {
		return slices.IndexFunc(all, func(p problem) bool { return slices.ContainsFunc(p.ids, covers) })
	}
	at := find(func(word string) bool { return chooses(word, x.ID) })
	if x.forged() && (at < 0 || all[at].severity != Hole) {
		at = find(func(word string) bool { return word == "forged" })
	}
	if at < 0 {
		return problem{severity: Policy, title: x.Title, means: "See the reference."}, len(all)
	}
	return all[at], at
}

// Finding is a problem of the service provider, shown by one attack or several that were let in.
type Finding struct {
	Severity Severity `json:"severity"`
	Problem  string   `json:"problem"`
	// Means says what an attacker gains.
	Means string `json:"means"`
	// Reference is that of the first attack.
	Reference string `json:"reference,omitempty"`
	// Attacks are the IDs, in the order of the catalogue.
	Attacks []string `json:"attacks"`

	first Result
	place int
}

// Findings returns the problems that the attacks have shown, the worst first.
func (r *Report) Findings() []Finding {
	var out []Finding
	for _, x := range r.Results {
		if x.Verdict != LetIn {
			continue
		}
		p, place := problemOf(x)
		at := slices.IndexFunc(out, func(f Finding) bool { return f.place == place })
		if at < 0 {
			at = len(out)
			out = append(out, Finding{
				Severity: p.severity, Problem: p.title, Means: p.means, Reference: x.Reference, first: x, place: place,
			})
		}
		out[at].Attacks = append(out[at].Attacks, x.ID)
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(a.Severity.rank()-b.Severity.rank(), a.place-b.place)
	})
	return out
}
