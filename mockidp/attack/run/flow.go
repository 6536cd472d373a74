package run

import (
	"context"
	_ "embed"
	"slices"
	"strings"
)

// The attacks that no single document shows: several messages, several
// browsers, odd requests. They are scripts.

// flow is a scripted attack.
type flow struct {
	id    string
	title string // "" for the row's name
	// run makes the attempt. Nil: it can't be made over HTTP from outside, and
	// never says why.
	run   func(s *script) RunResult
	never string
	needs need
}

// need is a requirement of a flow, beside a service provider that signs users in.
type need int

const (
	nothing need = iota
	aRequest
	anotherACS
	anEncryptionKey
)

// neverRun lists the rows that can't be attacked over HTTP: ID | title | reason.
//
//go:embed never.txt
var neverRun string

func flows() []flow {
	out := slices.Concat(replays(), browsers(), relayStates(), channels(), oracles())
	for line := range strings.Lines(neverRun) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), " | ")
		out = append(out, flow{id: f[0], title: f[1], never: f[2]})
	}
	return out
}

func (r *runner) runFlow(ctx context.Context, f flow, why string) Result {
	out := f.entry().result()
	out.Verdict = NotRun
	switch {
	case f.run == nil:
		out.Reason = f.never
	case f.needs == aRequest && r.IdPInitiated:
		out.Reason = "it takes a request"
	case f.needs == anotherACS && r.OtherACS == "":
		out.Reason = "it takes another ACS URL of the same service provider"
	case f.needs == anEncryptionKey && r.EncryptTo == nil:
		out.Reason = "it takes the service provider's encryption key"
	case why != "":
		out.Verdict, out.Reason = Inconclusive, why
	case r.over():
		out.leaveOpen()
	default:
		out.Runs = []RunResult{r.attempt(ctx, r.way, func() RunResult { return f.run(&script{runner: r, ctx: ctx}) })}
		out.sum()
		r.blame(&out)
	}
	return out
}
