package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// The attacks that no single document shows: several messages, several
// browsers, odd requests. They are scripts.

// flow is one of them.
type flow struct {
	id, title string
	// run makes the attempt. Nil: it can't be made over HTTP from outside, and
	// never says why.
	run   func(ctx context.Context, r *runner) RunResult
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
	out := Result{ID: f.id, Title: row.Name, Reference: row.Reference, Expected: "refused", Verdict: NotRun}
	if f.title != "" {
		out.Title = f.title
	}
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
		out.Runs = []RunResult{r.attempt(ctx, r.way, func() RunResult { return f.run(ctx, r) })}
		out.sum()
		r.blame(&out)
	}
	return out
}

// open is a flow's result where the attack itself never came about.
func open(format string, args ...any) RunResult {
	return RunResult{Verdict: Inconclusive, Reason: oneLine(fmt.Sprintf(format, args...))}
}

// seen is a flow's result by who is signed in after the last message. tolerated
// says why that would be no hole; "" if it is one.
func (r *runner) seen(ctx context.Context, b *browser, p page, posting error, tolerated string) RunResult {
	who, _, err := r.probe(ctx, b)
	out := RunResult{Identity: who, Verdict: Refused, Status: p.status}
	if posting == nil {
		out.Says = excerpt(p.body)
	}
	switch {
	case who != "" && tolerated != "":
		out.Verdict, out.Reason = Tolerated, tolerated
	case who != "":
		out.Verdict, out.Reason = LetIn, fmt.Sprintf("signed in as %q", who)
	case posting != nil || p.status >= 500:
		r.unwell(&out, p, posting)
	case err != nil:
		out.Verdict, out.Reason = Failed, "the probe can't be read: "+oneLine(err.Error())
	}
	return out
}

// document makes a case's hostile document or, without an attack, a good one.
func (v *visit) document(c attack.Case, change func(*attack.Params)) ([]byte, error) {
	p := v.r.params(v, c, v.r.way)
	if change != nil {
		change(&p)
	}
	m, err := c.Make(p)
	return m.SAMLResponse, err
}

// signIn is a visit that ended well: its browser is signed in. before is the
// browser as it was when the response was about to be posted.
type signIn struct {
	*visit
	before   *browser
	response []byte
	page     page
}

// signIn signs somebody in. Nil, and why, if it doesn't come about.
func (r *runner) signIn(ctx context.Context, change func(*attack.Params)) (*signIn, string) {
	v, err := r.begin(ctx)
	if err != nil {
		return nil, err.Error()
	}
	return v.signIn(ctx, change)
}

// signInUnasked does it with an unsolicited response.
func (r *runner) signInUnasked(ctx context.Context, change func(*attack.Params)) (*signIn, string) {
	return (&visit{r: r, b: r.newBrowser()}).signIn(ctx, change)
}

func (v *visit) signIn(ctx context.Context, change func(*attack.Params)) (*signIn, string) {
	out := &signIn{visit: v, before: v.b.clone()}
	var err error
	if out.response, err = v.document(good, change); err != nil {
		return nil, err.Error()
	}
	if out.page, err = v.post(ctx, out.response); err != nil {
		return nil, "a good response gets no answer: " + err.Error()
	}
	who, _, err := v.r.probe(ctx, v.b)
	if err != nil {
		return nil, "the probe can't be read: " + err.Error()
	}
	if who == "" {
		return nil, fmt.Sprintf("a good response is not accepted: status %d, %s", out.page.status, excerpt(out.page.body))
	}
	return out, ""
}

// again is a browser in the state of before, if that is still signed out: not
// where a service provider keeps one session from before signing in to after.
func (s *signIn) again(ctx context.Context) *browser {
	b := s.before.clone()
	if who, _, err := s.r.probe(ctx, b); err != nil || who != "" {
		return nil
	}
	return b
}

// asIn is a visit with another browser.
func (s *signIn) asIn(b *browser) *visit { return &visit{r: s.r, b: b, asked: s.asked} }

// contains reports whether a text holds another one, whatever its case.
func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
