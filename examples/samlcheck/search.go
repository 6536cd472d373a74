package main

import (
	"errors"
	"slices"

	"github.com/meridian-saml/meridian/saml"
)

// missing is a flag that would pass what failed.
type missing struct {
	flag    string
	passes  []saml.Check // that fail without it
	givesUp string
}

// outcome is what a rejected response would become with other flags. It changes
// nothing about the verdict.
type outcome struct {
	missing   []missing
	passes    bool // with all of missing
	remaining []saml.Check
	unreached bool // there are rules that could not be looked at
}

// maxRounds is more than there are flags that take a value.
const maxRounds = 8

// search tries flags that were not given. It goes by what package saml says
// about each, and by nothing else.
func search(given setup, m message) outcome {
	f := scan(decoded(m.body))
	var taken []remedy
	// A response that is judged long after it was made can be past the end of
	// the metadata too: one flag for both comes before a flag for each.
	if failedFor(given.judged(m), saml.ReasonMetadata) {
		taken = given.improve(m, f, taken)
	}
	taken = append(given.allowances(), taken...)
	for range maxRounds {
		more := given.improve(m, f, taken)
		if len(more) == len(taken) {
			break
		}
		taken = more
	}
	taken = given.needed(m, taken)

	report := given.with(taken).judged(m)
	out := outcome{passes: report.Assertion != nil}
	keyed := false
	for i, r := range taken {
		without, with := given.with(slices.Concat(taken[:i], taken[i+1:])).judged(m), report
		if r.flag == keyFlag {
			keyed, with = true, saml.Report{}
		}
		out.missing = append(out.missing, missing{r.flag, passedBy(without, with), r.givesUp})
	}
	for i, c := range report.Checks {
		if c.OK || keyed && c.Reason == saml.ReasonEncrypted {
			continue // -key is among the missing
		}
		out.remaining = append(out.remaining, c)
		// Rules are looked at together, and the last of them is about sessions;
		// a failed check that nothing follows is one that ends the judgement.
		out.unreached = i == len(report.Checks)-1 && c.Reason != saml.ReasonSession
	}
	out.unreached = out.unreached || keyed
	return out
}

// with is the setup with some remedies.
func (s setup) with(remedies []remedy) setup {
	for _, r := range remedies {
		r.apply(&s)
	}
	return s
}

// configuration names the check of the configuration itself.
const configuration = "Configuration"

// judged is the report on a message. A configuration that package saml refuses
// is a check that fails.
func (s setup) judged(m message) saml.Report {
	r, err := s.explain(m)
	var e *saml.Error
	if errors.As(err, &e) {
		return saml.Report{Err: e, Checks: []saml.Check{{Rule: configuration, Reason: e.Reason, Detail: err.Error()}}}
	}
	return r
}

// improve adds one remedy that passes something and breaks nothing.
func (s setup) improve(m message, f facts, taken []remedy) []remedy {
	now := s.with(taken)
	report := now.judged(m)
	for _, c := range report.Checks {
		if c.OK {
			continue
		}
		for _, r := range now.candidates(c.Reason, f) {
			if more := append(slices.Clone(taken), r); r.flag == keyFlag || better(s.with(more).judged(m), report) {
				return more
			}
		}
	}
	return taken
}

// better says whether more checks hold, and none fails that held.
func better(now, before saml.Report) bool {
	held := map[string]bool{}
	n := 0
	for _, c := range before.Checks {
		held[c.Rule] = c.OK
		if c.OK {
			n++
		}
	}
	for _, c := range now.Checks {
		if c.OK {
			n--
		} else if held[c.Rule] {
			return false
		}
	}
	return now.Assertion != nil || n < 0
}

// needed leaves out each remedy without which the report is the same. A key that
// decrypts nothing changes no report, and is needed.
func (s setup) needed(m message, taken []remedy) []remedy {
	for i := 0; i < len(taken); {
		fewer := slices.Concat(taken[:i], taken[i+1:])
		if taken[i].flag != keyFlag && same(s.with(fewer).judged(m), s.with(taken).judged(m)) {
			taken = fewer
		} else {
			i++
		}
	}
	return taken
}

func same(a, b saml.Report) bool {
	return slices.EqualFunc(a.Checks, b.Checks, func(a, b saml.Check) bool {
		return a.Rule == b.Rule && a.OK == b.OK && a.Reason == b.Reason
	})
}

// passedBy are the rules that fail without a remedy and not with it. Where
// both fail, they fail for another reason.
func passedBy(without, with saml.Report) []saml.Check {
	var out []saml.Check
	for _, c := range without.Checks {
		still := func(w saml.Check) bool { return !w.OK && w.Rule == c.Rule && w.Reason == c.Reason }
		if !c.OK && !slices.ContainsFunc(with.Checks, still) {
			out = append(out, c)
		}
	}
	return out
}

func failedFor(r saml.Report, reason saml.Reason) bool {
	return slices.ContainsFunc(r.Checks, func(c saml.Check) bool { return !c.OK && c.Reason == reason })
}
