package run

import (
	"cmp"
	"context"
	"slices"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// The attacks that no single document shows: several messages, several
// browsers, odd requests. They are scripts.

// flow is one of them.
type flow struct {
	id, title string
	// run makes the attempt. Nil: it can't be made over HTTP from outside, and
	// never says why.
	run   func(s *script) RunResult
	never string
	needs need
}

// need is what a flow takes beside a service provider that signs people in.
type need int

const (
	nothing need = iota
	aRequest
	anotherACS
	anEncryptionKey
)

func flows() []flow {
	return slices.Concat(replays(), browsers(), relayStates(), channels(), oracles(), []flow{
		never("D04", "replay after the store forgot or failed", "it takes a hand on the service provider's store"),
		never("D12", "", "it takes a second identity provider that the service provider trusts"),
		never("D49", "", "responses come by HTTP-POST; it is about what a service provider signs itself"),
		never("D52", "", "the artifact binding is not spoken"),
		never("D53", "", "single logout is not spoken"),
		never("D54", "", outOfReach),
		never("D56", "", "it is about identity providers"),
		never("J04", "", "it is about the service provider's own list of requests"),
		never("J07", "", outOfReach),
		never("J08", "", outOfReach),
		never("J16", "", floods),
		never("J17", "", "it takes a hand on the clocks of the service provider's nodes"),
		never("J21", "", "browsers and this tool write no such request line"),
		never("K11", "", outOfReach),
		never("K12", "", outOfReach),
		never("K15", "", betweenRegions),
		never("K17", "", betweenRegions),
		never("K18", "", outOfReach),
		never("K19", "", floods),
		never("L01", "", floods),
		never("L02", "", floods),
		never("L03", "", floods),
		never("L04", "", floods),
		never("L05", "", floods),
		never("L06", "", floods),
		never("L07", "", "the page is the service provider's own"),
	})
}

// outOfReach is why attacks by [attack.MetadataCases] can't be made over HTTP.
const outOfReach = "the service provider's copy of the metadata is out of reach"

// betweenRegions is why what one Region tells another isn't tried.
const betweenRegions = "the service provider's other Regions are out of reach"

// floods is why attacks on what a service provider keeps aren't made: they would
// keep users out of one that is in use.
const floods = "it would keep users of the service provider out"

func never(id, title, why string) flow { return flow{id: id, title: title, never: why} }

func (r *runner) runFlow(ctx context.Context, f flow, why string) Result {
	row, _ := attack.RowOf(f.id)
	out := Result{ID: f.id, Title: cmp.Or(f.title, row.Name), Reference: row.Reference, Expected: "refused", Verdict: NotRun}
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
