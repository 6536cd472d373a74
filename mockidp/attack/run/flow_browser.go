package run

import (
	"context"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D11, D18, D19, D47: a message is for the browser that asked, and for the
// place that it asked at.

func browsers() []flow {
	return []flow{
		{id: "D11/waiting", title: "the answer to another browser's request, in one that waits for its own", run: anothersAnswer(true), needs: aRequest},
		{id: "D11/idle", title: "the answer to another browser's request, in one that asked nothing", run: anothersAnswer(false), needs: aRequest},
		{id: "D11/without-cookies", title: "the right answer, in the same browser without its cookies", run: withoutCookies, needs: aRequest},
		{id: "D18", title: "the answer is for another ACS URL than was asked for, and is brought there", run: atOtherACS, needs: anotherACS},
		{id: "D19/host", title: "the Host header names the place that the message is for", run: spoofed("Host")},
		{id: "D19/forwarded-host", title: "X-Forwarded-Host names the place that the message is for", run: spoofed("X-Forwarded-Host")},
		{id: "D47/signed-out", title: "login CSRF: the attacker's unsolicited response, in a browser where nobody is signed in", run: loginCSRF(false)},
		{id: "D47/signed-in", title: "login CSRF: the attacker's unsolicited response replaces who is signed in", run: loginCSRF(true)},
	}
}

func anothersAnswer(waiting bool) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		attacker, err := r.begin(ctx)
		if err != nil {
			return open("%v", err)
		}
		response, err := attacker.document(good, nil)
		if err != nil {
			return open("%v", err)
		}
		victim := &visit{r: r, b: r.newBrowser()}
		if waiting {
			if victim, err = r.begin(ctx); err != nil {
				return open("%v", err)
			}
		}
		p, err := victim.b.send(ctx, request{method: http.MethodPost, to: r.ACS, contentType: formType, body: attacker.form(response).Encode()})
		return r.seen(ctx, victim.b, p, err, "")
	}
}

func withoutCookies(ctx context.Context, r *runner) RunResult {
	v, err := r.begin(ctx)
	if err != nil {
		return open("%v", err)
	}
	response, err := v.document(good, nil)
	if err != nil {
		return open("%v", err)
	}
	b := r.newBrowser()
	p, err := (&visit{r: r, b: b, asked: v.asked}).post(ctx, response)
	return r.seen(ctx, b, p, err, "")
}

func atOtherACS(ctx context.Context, r *runner) RunResult {
	v, err := r.begin(ctx)
	if err != nil {
		return open("%v", err)
	}
	response, err := v.document(good, func(p *attack.Params) { p.Recipient = r.OtherACS })
	if err != nil {
		return open("%v", err)
	}
	p, err := v.b.send(ctx, request{method: http.MethodPost, to: r.OtherACS, contentType: formType, body: v.form(response).Encode()})
	tolerated := ""
	if v.asked == nil {
		tolerated = "nothing was asked, and it is an ACS URL of the same service provider"
	}
	return r.seen(ctx, v.b, p, err, tolerated)
}

// spoofed brings a message that was made for another host to the service
// provider, under that host's name.
func spoofed(header string) func(context.Context, *runner) RunResult {
	const evil = "attacker.example"
	return func(ctx context.Context, r *runner) RunResult {
		v, err := r.begin(ctx)
		if err != nil {
			return open("%v", err)
		}
		there, err := url.Parse(r.ACS)
		if err != nil {
			return open("%v", err)
		}
		there.Host = evil
		response, err := v.document(good, func(p *attack.Params) { p.Recipient = there.String() })
		if err != nil {
			return open("%v", err)
		}
		q := request{method: http.MethodPost, to: r.ACS, contentType: formType, body: v.form(response).Encode()}
		if header == "Host" {
			q.host = evil
		} else {
			q.header = map[string]string{header: evil}
		}
		p, err := v.b.send(ctx, q)
		return r.seen(ctx, v.b, p, err, "")
	}
}

// loginCSRF: the attacker's own response is posted by the victim's browser.
func loginCSRF(signedIn bool) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		victim := &visit{r: r, b: r.newBrowser()}
		if signedIn {
			s, why := r.signIn(ctx, nil)
			if s == nil {
				return open("%s", why)
			}
			victim = &visit{r: r, b: s.b}
		}
		response, err := victim.document(good, func(p *attack.Params) { p.Subject = r.Forged })
		if err != nil {
			return open("%v", err)
		}
		p, err := victim.post(ctx, response)
		tolerated := "unsolicited responses are allowed here, and the specifications have no defence then"
		out := r.seen(ctx, victim.b, p, err, tolerated)
		if signedIn && out.Identity == r.Subject {
			out.Verdict, out.Reason = Refused, "who was signed in still is"
		}
		return out
	}
}
