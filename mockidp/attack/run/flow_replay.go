package run

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D01 to D07: one assertion is good for one sign-in (Profiles 4.1.4.5).

func replays() []flow {
	return []flow{
		{id: "D01/same-browser", title: "replay, in the browser that it came with", run: replayed(nil, same)},
		{id: "D01/other-browser", title: "replay, in another browser", run: replayElsewhere},
		{id: "D01/unsolicited", title: "replay of an unsolicited response, in another browser", run: replayUnasked(nil, same)},
		{id: "D02", title: "replay at another ACS URL of the service provider", run: replayAtOtherACS, needs: anotherACS},
		{id: "D03", title: "replay, eight at the same time", run: replayAtOnce},
		{id: "D05/same-browser", title: "a new Response around the same assertion", run: replayed(assertionSigned, renewed)},
		{id: "D05/unsolicited", title: "a new Response around the same unsolicited assertion", run: replayUnasked(assertionSigned, renewed)},
		{id: "D06", title: "a second assertion that answers the same request", run: answeredTwice, needs: aRequest},
		{id: "D07", title: "replay between NotOnOrAfter and the end of the clock skew", run: replayAtTheEnd},
	}
}

// same posts what was posted before.
func same(s *signIn) ([]byte, error) { return s.response, nil }

// renewed gives the Response around the assertion another ID. It is not signed.
func renewed(s *signIn) ([]byte, error) {
	text, err := base64.StdEncoding.DecodeString(string(s.response))
	if err != nil {
		return nil, err
	}
	id := []byte(` ID="`)
	at := bytes.Index(text, id)
	if at < 0 {
		return nil, fmt.Errorf("the Response has no ID")
	}
	at += len(id)
	out := append(bytes.Clone(text[:at]), "new"...)
	return []byte(base64.StdEncoding.EncodeToString(append(out, text[at:]...))), nil
}

// assertionSigned leaves the Response unsigned.
func assertionSigned(p *attack.Params) { p.Sign = attack.SignAssertion }

// replayed signs somebody in, and posts the message again with the cookies that
// the browser had before.
func replayed(change func(*attack.Params), message func(*signIn) ([]byte, error)) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		first, why := r.signIn(ctx, change)
		if first == nil {
			return open("%s", why)
		}
		response, err := message(first)
		if err != nil {
			return open("%v", err)
		}
		b := first.again(ctx)
		if b == nil {
			return RunResult{Verdict: NotRun, Reason: "the session from before signing in is the one from after: there is no way back to before"}
		}
		p, err := first.asIn(b).post(ctx, response)
		return r.seen(ctx, b, p, err, "")
	}
}

// replayElsewhere posts a used message in another browser that waits for an
// answer of its own.
func replayElsewhere(ctx context.Context, r *runner) RunResult {
	first, why := r.signIn(ctx, nil)
	if first == nil {
		return open("%s", why)
	}
	other, err := r.begin(ctx)
	if err != nil {
		return open("%v", err)
	}
	p, err := other.post(ctx, first.response)
	return r.seen(ctx, other.b, p, err, "")
}

// replayUnasked has no request that could be used up: only a record of
// assertions helps.
func replayUnasked(change func(*attack.Params), message func(*signIn) ([]byte, error)) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		if !r.unsolicited {
			return RunResult{Verdict: Refused, Reason: "unsolicited responses are refused"}
		}
		first, why := r.signInUnasked(ctx, change)
		if first == nil {
			return open("%s", why)
		}
		response, err := message(first)
		if err != nil {
			return open("%v", err)
		}
		other := &visit{r: r, b: r.newBrowser()}
		p, err := other.post(ctx, response)
		return r.seen(ctx, other.b, p, err, "")
	}
}

func replayAtOtherACS(ctx context.Context, r *runner) RunResult {
	first, why := r.signIn(ctx, nil)
	if first == nil {
		return open("%s", why)
	}
	b := first.again(ctx)
	if b == nil {
		b = r.newBrowser()
	}
	p, err := b.send(ctx, request{method: "POST", to: r.OtherACS, contentType: formType, body: first.form(first.response).Encode()})
	return r.seen(ctx, b, p, err, "")
}

// replayAtOnce posts one message from eight copies of a browser. One of them
// may be let in.
func replayAtOnce(ctx context.Context, r *runner) RunResult {
	first, why := r.signIn(ctx, nil)
	if first == nil {
		return open("%s", why)
	}
	var v *visit
	if first.again(ctx) != nil { // sessions begin at sign-in: copies are apart
		var err error
		if v, err = r.begin(ctx); err != nil {
			return open("%v", err)
		}
	} else if r.unsolicited {
		v = &visit{r: r, b: r.newBrowser()}
	} else {
		return RunResult{Verdict: NotRun, Reason: "the session from before signing in is the one from after: copies of the browser share it"}
	}
	response, err := v.document(good, nil)
	if err != nil {
		return open("%v", err)
	}
	const n = 8
	copies := make([]*browser, n)
	var wg sync.WaitGroup
	for i := range copies {
		copies[i] = v.b.clone()
		wg.Go(func() { _, _ = (&visit{r: r, b: copies[i], asked: v.asked}).post(ctx, response) })
	}
	wg.Wait()
	in, who := 0, ""
	for _, b := range copies {
		if name, _, err := r.probe(ctx, b); err == nil && name != "" {
			in, who = in+1, name
		}
	}
	switch in {
	case 0:
		return open("none of %d was let in", n)
	case 1:
		return RunResult{Verdict: Refused, Reason: "one of eight was let in"}
	}
	return RunResult{Verdict: LetIn, Identity: who, Reason: fmt.Sprintf("%d of %d were let in by one assertion", in, n)}
}

// answeredTwice: the request is used up by its answer. The second answer is
// about somebody else, so that it shows even in the same session.
func answeredTwice(ctx context.Context, r *runner) RunResult {
	first, why := r.signIn(ctx, nil)
	if first == nil {
		return open("%s", why)
	}
	b := first.again(ctx)
	if b == nil {
		b = first.b
	}
	v := first.asIn(b)
	second, err := v.document(good, func(p *attack.Params) { p.Subject = r.Forged })
	if err != nil {
		return open("%v", err)
	}
	p, err := v.post(ctx, second)
	out := r.seen(ctx, b, p, err, "")
	if out.Verdict == LetIn && out.Identity != r.Forged {
		out.Verdict, out.Reason = Refused, "still signed in as the first"
	}
	return out
}

// replayAtTheEnd: a message that is past its end by less than the skew may be
// accepted; then it must be remembered, although it is past its end.
func replayAtTheEnd(ctx context.Context, r *runner) RunResult {
	late := func(p *attack.Params) { p.Now = p.Now.Add(-5*time.Minute - 30*time.Second) } // an assertion says five minutes
	var first *signIn
	var why string
	if r.unsolicited {
		first, why = r.signInUnasked(ctx, late)
	} else {
		first, why = r.signIn(ctx, late)
	}
	if first == nil {
		return RunResult{Verdict: Refused, Reason: oneLine("half a minute past its end it is not accepted once: " + why)}
	}
	b := first.again(ctx)
	if r.unsolicited {
		b = r.newBrowser()
	}
	if b == nil {
		return RunResult{Verdict: NotRun, Reason: "the session from before signing in is the one from after: there is no way back to before"}
	}
	p, err := first.asIn(b).post(ctx, first.response)
	return r.seen(ctx, b, p, err, "")
}
