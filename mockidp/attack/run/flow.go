package run

import (
	"context"
	_ "embed"
	"maps"
	"strings"
)

// flow is a scripted attack, for a row that no single document shows.
type flow struct {
	id    string
	title string // "" for the row's name
	// run makes the attempt. Nil: it can't be made over HTTP from outside;
	// never has the reason.
	run   func(s *script) RunResult
	never string
	needs string // a requirement of flows.txt
}

// flowList lists the flows. Its first lines explain the format.
//
//go:embed flows.txt
var flowList string

func flows() []flow {
	out, scripts := openRedirects(), scripts()
	for line := range strings.Lines(flowList) {
		f := strings.Split(line, "|")
		if len(f) != 3 || line[0] == '#' {
			continue
		}
		x := flow{id: strings.TrimSpace(f[0]), title: strings.TrimSpace(f[1]), needs: strings.TrimSpace(f[2])}
		if never, ok := strings.CutPrefix(x.needs, "never: "); ok {
			x.never, x.needs = never, ""
		}
		x.run = scripts[x.id]
		out = append(out, x)
	}
	return out
}

// scripts has the run functions of flows, by ID.
func scripts() map[string]func(*script) RunResult {
	out := make(map[string]func(*script) RunResult)
	for _, some := range []map[string]func(*script) RunResult{
		replays(), browsers(), relayStates(), channels(), oracles(),
	} {
		maps.Copy(out, some)
	}
	return out
}

func (r *runner) runFlow(ctx context.Context, f flow, why string) Result {
	out := f.entry().result()
	out.Verdict = NotRun
	switch {
	case f.run == nil:
		out.Reason, out.Needs = f.never, NeedControl
	case f.needs == "request" && r.IdPInitiated:
		out.Reason, out.Needs = "it needs a request", NeedLogin
	case f.needs == "other-acs" && r.OtherACS == "":
		out.Reason, out.Needs = needsOtherACS, NeedOtherACS
	case f.needs == "encryption-key" && r.EncryptTo == nil:
		out.Reason, out.Needs = "it needs the service provider's encryption key", NeedEncryptTo
	case why != "":
		out.Verdict, out.Reason = Inconclusive, why
	case r.hasStopped():
		out.markNotRun()
	default:
		run := r.attempt(ctx, r.way, func() RunResult { return f.run(&script{runner: r, ctx: ctx}) })
		if run.Verdict == Inconclusive && run.twinRefused {
			run.Verdict, run.Needs = NotRun, NeedSupport
		}
		out.Runs = []RunResult{run}
		out.summarize()
		r.attributeStop(&out)
	}
	return out
}
