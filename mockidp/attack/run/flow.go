package run

import (
	"context"
	_ "embed"
	"maps"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
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

// alone reports whether a flow is not run beside other attacks.
func (f flow) alone() bool {
	return f.needs == "logout" || f.needs == "artifact" || f.needs == "artifact-other-idp"
}

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
		replays(), browsers(), relayStates(), channels(), oracles(), providers(), logoutFlows(),
		artifactFlows(),
	} {
		maps.Copy(out, some)
	}
	return out
}

// missingFor returns what a flow needs and this run lacks, or "" and "".
func (r *runner) missingFor(f flow) (Need, string) {
	switch {
	case f.run == nil:
		return NeedControl, f.never
	case f.needs == "request" && r.IdPInitiated:
		return NeedLogin, "it needs a request"
	case f.needs == "other-acs" && r.OtherACS == "":
		return NeedOtherACS, needsOtherACS
	case f.needs == "encryption-key" && r.EncryptTo == nil:
		return NeedEncryptTo, "it needs the service provider's encryption key"
	case f.needs == "other-login" && r.OtherIdP != nil && r.OtherLogin == "":
		return NeedOtherLogin, "it needs the address of a sign-in at the other identity provider"
	case f.needs == "logout" && r.Logout[attack.ByRedirect] == "" && r.Logout[attack.ByPOST] == "":
		return NeedLogout, "it needs a service provider with single logout through the browser"
	case f.needs == "discovery" && r.Discovery == "":
		return NeedDiscovery, "it needs the address for the answer of a discovery service"
	case f.needs == "artifact":
		return r.missingForArtifacts()
	case f.needs == "artifact-other-idp":
		if need, missing := r.missingForArtifacts(); missing != "" {
			return need, missing
		}
		return r.missingOther()
	case f.needs == "other-idp" || f.needs == "other-login":
		return r.missingOther()
	}
	return "", ""
}

func (r *runner) runFlow(ctx context.Context, f flow, why string) Result {
	out := f.entry().result()
	out.Verdict = NotRun
	switch needs, missing := r.missingFor(f); {
	case missing != "":
		out.Reason, out.Needs = missing, needs
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
