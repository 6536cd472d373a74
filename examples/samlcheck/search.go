package main

import (
	"errors"
	"slices"

	"github.com/meridian-saml/meridian/saml"
)

// outcome is what other flags would change about a rejected response. It is a part of the report.
type outcome struct {
	Missing           []missing   `json:"missing"`
	PassesWithMissing bool        `json:"passes_with_missing"`
	Remaining         []remaining `json:"remaining"`
	Unreached         bool        `json:"unreached"` // some rules could not be checked
}

// missing is a flag that would pass what failed.
type missing struct {
	Flag    string   `json:"flag"`
	Passes  []string `json:"passes"` // rules
	GivesUp string   `json:"gives_up"`

	checks []saml.Check // of the rules
}

// remaining is a rule that no flag passes.
type remaining struct {
	Rule   string      `json:"rule"`
	Reason saml.Reason `json:"reason"`
	Detail string      `json:"detail"`
	Hint   string      `json:"hint"` // what to look for
}

var hints = map[saml.Reason]string{
	saml.ReasonBase64:   "Is the value complete, and as it was posted?",
	saml.ReasonXML:      "Is the value complete, and as it was posted?",
	saml.ReasonStatus:   "The identity provider refused the sign-in. Its log has the reason.",
	saml.ReasonUnsigned: "The identity provider must sign the Response, the assertion or both.",
	saml.ReasonSignature: "Is the metadata or certificate current, and that of the identity provider that sent the " +
		"response? A copy that was formatted or edited does not verify.",
	saml.ReasonIssuer:      "Is the metadata that of the identity provider that sent the response?",
	saml.ReasonEncrypted:   "Is -key the private key of the certificate that the identity provider has for this service?",
	saml.ReasonRecipient:   "The identity provider made the assertion for another URL.",
	saml.ReasonDestination: "The identity provider sent the response to another URL.",
}

func newRemaining(c saml.Check) remaining {
	return remaining{c.Rule, c.Reason, c.Detail, hints[c.Reason]}
}

// maxRounds is more than there are flags that take a value.
const maxRounds = 8

// search tries flags that were not given. It relies only on the report of package saml about each.
func (o *options) search(m message) outcome {
	f := scan(decoded(m.body))
	var taken []remedy
	// A response that is verified long after it was made can be past the end of the metadata too: one flag for
	// both comes before a flag for each.
	expired := func(c saml.Check) bool { return !c.OK && c.Reason == saml.ReasonMetadataExpired }
	if slices.ContainsFunc(o.verify(m, nil).Checks, expired) {
		taken = o.improve(m, f, taken)
	}
	taken = append(o.allowances(), taken...)
	for range maxRounds {
		more := o.improve(m, f, taken)
		if len(more) == len(taken) {
			break
		}
		taken = more
	}
	taken = o.needed(m, taken)

	report := o.verify(m, taken)
	out := outcome{PassesWithMissing: report.Assertion != nil}
	keyed := false
	for i, r := range taken {
		without, with := o.verify(m, slices.Concat(taken[:i], taken[i+1:])), report
		if r.flag == keyFlag {
			keyed, with = true, saml.Report{}
		}
		f := missing{Flag: r.flag, Passes: []string{}, GivesUp: r.givesUp, checks: passedBy(without, with)}
		for _, c := range f.checks {
			f.Passes = append(f.Passes, c.Rule)
		}
		out.Missing = append(out.Missing, f)
	}
	for i, c := range report.Checks {
		if c.OK || keyed && c.Reason == saml.ReasonEncrypted {
			continue // -key is among the missing
		}
		out.Remaining = append(out.Remaining, newRemaining(c))
		// Rules are checked together, and the last of them is about sessions; a failed check that nothing
		// follows has ended the verification.
		out.Unreached = i == len(report.Checks)-1 && c.Reason != saml.ReasonSession
	}
	out.Unreached = out.Unreached || keyed
	return out
}

// configuration names the check of the configuration itself.
const configuration = "Configuration"

// with returns the options with some remedies.
func (o *options) with(remedies []remedy) *options {
	changed := *o
	for _, r := range remedies {
		r.apply(&changed)
	}
	return &changed
}

// verify returns the report on a message with some remedies. A configuration that package saml refuses is a check
// that fails.
func (o *options) verify(m message, remedies []remedy) saml.Report {
	r, err := o.with(remedies).explain(m)
	if e := new(saml.Error); errors.As(err, &e) {
		return saml.Report{Err: e, Checks: []saml.Check{{Rule: configuration, Reason: e.Reason, Detail: err.Error()}}}
	}
	return r
}

// improve adds one remedy that passes a rule and breaks none.
func (o *options) improve(m message, f facts, taken []remedy) []remedy {
	report := o.verify(m, taken)
	for _, c := range report.Checks {
		if c.OK {
			continue
		}
		for _, r := range o.with(taken).candidates(c.Reason, f) {
			if more := append(slices.Clone(taken), r); r.flag == keyFlag || better(o.verify(m, more), report) {
				return more
			}
		}
	}
	return taken
}

// better reports whether more checks hold, and none fails that held.
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

// needed leaves out each remedy without which the report is the same. A key that decrypts nothing changes no report,
// and is needed.
func (o *options) needed(m message, taken []remedy) []remedy {
	for i := 0; i < len(taken); {
		fewer := slices.Concat(taken[:i], taken[i+1:])
		if taken[i].flag != keyFlag && same(o.verify(m, fewer), o.verify(m, taken)) {
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

// passedBy returns the checks that fail without a remedy and not with it. A check that fails in both for the same
// reason is not one.
func passedBy(without, with saml.Report) []saml.Check {
	return slices.DeleteFunc(slices.Clone(without.Checks), func(c saml.Check) bool {
		return c.OK || slices.ContainsFunc(with.Checks, func(w saml.Check) bool {
			return !w.OK && w.Rule == c.Rule && w.Reason == c.Reason
		})
	})
}
