package run

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// D44 to D46: RelayState is a stranger's text (Bindings 3.5.3).

const attackersHost = "attacker.example"

func relayStates() []flow {
	var out []flow
	for _, x := range []struct{ name, value string }{
		{"https", "https://attacker.example/"}, {"scheme-relative", "//attacker.example/"}, {"backslash", `/\attacker.example/`},
		{"backslashes", `\\attacker.example/`}, {"tab", "/\t/attacker.example/"}, {"userinfo", "https://%SELF%@attacker.example/"},
		{"prefix", "%SELF%.attacker.example/"}, {"javascript", "javascript:alert('attacker.example')"},
		{"data", "data:text/html,attacker.example"}, {"header", "/x\r\nX-Attacker: attacker.example"},
	} {
		out = append(out, flow{id: "D44/" + x.name, title: "RelayState as an open redirect: " + fmt.Sprintf("%q", x.value), run: redirected(x.value)})
	}
	return append(out,
		flow{id: "D45/other", title: "RelayState of another browser's request", run: swapped(anothers, unbound), needs: aRequest},
		flow{id: "D45/unknown", title: "RelayState that was never given out", run: swapped(func(context.Context, *runner) (string, bool, error) { return "unknown-0123456789", true, nil }, unbound), needs: aRequest},
		flow{id: "D45/missing", title: "RelayState left out", run: swapped(func(context.Context, *runner) (string, bool, error) { return "", false, nil }, dropped), needs: aRequest},
		flow{id: "D46/refused", title: "markup in the RelayState of a message that is refused", run: reflected(false)},
		flow{id: "D46/accepted", title: "markup in the RelayState of a good message", run: reflected(true)},
	)
}

// redirected looks where a good message leads whose RelayState was replaced:
// in answer to a request, and unasked.
func redirected(relayState string) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		self, err := url.Parse(r.ACS)
		if err != nil {
			return open("%v", err)
		}
		state := strings.ReplaceAll(relayState, "%SELF%", self.Host)
		if strings.HasPrefix(relayState, "%SELF%") {
			state = self.Scheme + "://" + state
		}
		v, err := r.begin(ctx)
		if err != nil {
			return open("%v", err)
		}
		out := v.leads(ctx, state)
		if r.unsolicited && out.Verdict == Refused && v.asked != nil {
			out = (&visit{r: r, b: r.newBrowser()}).leads(ctx, state)
		}
		return out
	}
}

// leads posts a good message with a RelayState and says where that leads.
func (v *visit) leads(ctx context.Context, relayState string) RunResult {
	response, err := v.document(good, nil)
	if err != nil {
		return open("%v", err)
	}
	p, err := v.postForm(ctx, url.Values{"SAMLResponse": {string(response)}, "RelayState": {relayState}})
	if err != nil {
		return RunResult{Verdict: Failed, Reason: "no answer: " + oneLine(err.Error())}
	}
	out := RunResult{Verdict: Refused, Status: p.status, Says: excerpt(p.body)}
	location := p.header.Get("Location")
	switch {
	case p.header.Get("X-Attacker") != "":
		out.Verdict, out.Reason = LetIn, "it writes a header of its own"
	case p.leaving != nil && (strings.HasSuffix(p.leaving.Hostname(), attackersHost) || p.leaving.Scheme != "http" && p.leaving.Scheme != "https"):
		out.Verdict, out.Reason = LetIn, fmt.Sprintf("it leads to %q", location)
	case ambiguous(location):
		// Browsers read these as another host; net/url does not.
		out.Verdict, out.Reason = LetIn, fmt.Sprintf("it leads to %q, which browsers take for another host", location)
	default:
		v.r.unwell(&out, p, nil)
	}
	return out
}

// ambiguous reports whether browsers see another host in a relative reference.
func ambiguous(location string) bool {
	s := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(location)
	return strings.HasPrefix(s, "//") && contains(s, attackersHost)
}

// anothers is the RelayState that another browser got.
func anothers(ctx context.Context, r *runner) (string, bool, error) {
	v, err := r.begin(ctx)
	if err != nil {
		return "", false, err
	}
	return v.asked.relayState, v.asked.hasRelayState, nil
}

// Why RelayState may be another, or missing.
const (
	unbound = "RelayState is not bound to the request here; where it may lead is another attack"
	dropped = "an answer without RelayState is taken here, because some identity providers drop it"
)

// swapped answers a request with a RelayState that does not belong to it.
func swapped(other func(context.Context, *runner) (string, bool, error), tolerated string) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		v, err := r.begin(ctx)
		if err != nil {
			return open("%v", err)
		}
		if !v.asked.hasRelayState {
			return RunResult{Verdict: NotRun, Reason: "requests come without a RelayState"}
		}
		state, has, err := other(ctx, r)
		if err != nil {
			return open("%v", err)
		}
		if has && state == v.asked.relayState {
			return RunResult{Verdict: NotRun, Reason: "every request has the same RelayState"}
		}
		response, err := v.document(good, nil)
		if err != nil {
			return open("%v", err)
		}
		form := url.Values{"SAMLResponse": {string(response)}}
		if has {
			form.Set("RelayState", state)
		}
		p, err := v.postForm(ctx, form)
		return r.seen(ctx, v.b, p, err, tolerated)
	}
}

const markup = `"><script>alert('m46')</script><img src=x onerror=alert(46)>`

// reflected looks for markup in whatever the service provider answers.
func reflected(accepted bool) func(context.Context, *runner) RunResult {
	return func(ctx context.Context, r *runner) RunResult {
		v, err := r.begin(ctx)
		if err != nil {
			return open("%v", err)
		}
		response := []byte("PHg+" + markup)
		if accepted {
			if response, err = v.document(good, nil); err != nil {
				return open("%v", err)
			}
		}
		p, err := v.postForm(ctx, url.Values{"SAMLResponse": {string(response)}, "RelayState": {markup}})
		out := RunResult{Verdict: Refused, Status: p.status}
		switch {
		case err != nil:
			out.Verdict, out.Reason = Failed, "no answer: "+oneLine(err.Error())
		case strings.Contains(p.body, "<script>alert('m46')") && isHTML(p.header):
			out.Verdict, out.Reason = LetIn, "the markup is part of the page"
		default:
			r.unwell(&out, p, nil)
		}
		return out
	}
}

// isHTML: a page without a type is one that browsers guess at.
func isHTML(h http.Header) bool {
	kind := h.Get("Content-Type")
	return kind == "" || contains(kind, "html") || contains(kind, "xml")
}
