package run

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// D44 to D46: RelayState is an attacker's text (Bindings 3.5.3).

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
		flow{id: "D45/unknown", title: "RelayState that was never given out", run: swapped(func(*script) *string { return new("unknown-0123456789") }, unbound), needs: aRequest},
		flow{id: "D45/missing", title: "RelayState left out", run: swapped(func(*script) *string { return nil }, dropped), needs: aRequest},
		flow{id: "D46/refused", title: "markup in the RelayState of a message that is refused", run: reflected(false)},
		flow{id: "D46/accepted", title: "markup in the RelayState of a good message", run: reflected(true)},
	)
}

// redirected looks where a good message leads whose RelayState was replaced:
// in answer to a request, and unasked.
func redirected(relayState string) func(*script) RunResult {
	return func(s *script) RunResult {
		self, err := url.Parse(s.ACS)
		if err != nil {
			s.fail(err)
			return s.open()
		}
		state := strings.ReplaceAll(relayState, "%SELF%", self.Host)
		if strings.HasPrefix(relayState, "%SELF%") {
			state = self.Scheme + "://" + state
		}
		v := s.begin()
		out := s.leads(v, state)
		if s.unsolicited && out.Verdict == Refused && v.asked != nil {
			out = s.leads(s.fresh(), state)
		}
		return out
	}
}

// leads posts a good message with a RelayState and says where that leads.
func (s *script) leads(v *visit, relayState string) RunResult {
	p, err := s.post(v.b, s.ACS, url.Values{"SAMLResponse": {string(s.good(v))}, "RelayState": {relayState}})
	out := RunResult{Verdict: Refused, Status: p.status, Says: excerpt(p.body)}
	location := p.header.Get("Location")
	switch {
	case s.err != nil:
		return s.open()
	case err != nil:
		return RunResult{Verdict: Failed, Reason: "no answer: " + oneLine(err.Error())}
	case p.header.Get("X-Attacker") != "":
		out.Verdict, out.Reason = LetIn, "it writes a header of its own"
	case p.leaving != nil && (strings.HasSuffix(p.leaving.Hostname(), attackersHost) || p.leaving.Scheme != "http" && p.leaving.Scheme != "https"):
		out.Verdict, out.Reason = LetIn, fmt.Sprintf("it leads to %q", location)
	case ambiguous(location):
		// Browsers read these as another host; net/url does not.
		out.Verdict, out.Reason = LetIn, fmt.Sprintf("it leads to %q, which browsers take for another host", location)
	default:
		s.unwell(&out, p, nil)
	}
	return out
}

// ambiguous reports whether browsers see another host in a relative reference.
func ambiguous(location string) bool {
	s := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(location)
	return strings.HasPrefix(s, "//") && contains(s, attackersHost)
}

// relayState is what a visit was given, or nil.
func (v *visit) relayState() *string {
	if v.asked == nil || !v.asked.hasRelayState {
		return nil
	}
	return &v.asked.relayState
}

// anothers is the RelayState that another browser got.
func anothers(s *script) *string { return s.begin().relayState() }

// Why RelayState may be another, or missing.
const (
	unbound = "RelayState is not bound to the request here; where it may lead is another attack"
	dropped = "an answer without RelayState is taken here, because some identity providers drop it"
)

// swapped answers a request with a RelayState that does not belong to it, or
// without one.
func swapped(other func(*script) *string, tolerated string) func(*script) RunResult {
	return func(s *script) RunResult {
		v := s.begin()
		own := v.relayState()
		if s.err == nil && own == nil {
			return RunResult{Verdict: NotRun, Reason: "requests come without a RelayState"}
		}
		state, form := other(s), url.Values{"SAMLResponse": {string(s.good(v))}}
		if state != nil {
			form.Set("RelayState", *state)
		}
		if s.err == nil && state != nil && *state == *own {
			return RunResult{Verdict: NotRun, Reason: "every request has the same RelayState"}
		}
		return s.posted(v.b, s.ACS, form, tolerated)
	}
}

const markup = `"><script>alert('m46')</script><img src=x onerror=alert(46)>`

// reflected looks for markup in whatever the service provider answers.
func reflected(accepted bool) func(*script) RunResult {
	return func(s *script) RunResult {
		v, response := s.begin(), "PHg+"+markup
		if accepted {
			response = string(s.good(v))
		}
		p, err := s.post(v.b, s.ACS, url.Values{"SAMLResponse": {response}, "RelayState": {markup}})
		out := RunResult{Verdict: Refused, Status: p.status}
		switch {
		case s.err != nil:
			return s.open()
		case err != nil:
			out.Verdict, out.Reason = Failed, "no answer: "+oneLine(err.Error())
		case strings.Contains(p.body, "<script>alert('m46')") && isHTML(p.header):
			out.Verdict, out.Reason = LetIn, "the markup is part of the page"
		default:
			s.unwell(&out, p, nil)
		}
		return out
	}
}

// isHTML: a page without a type is one that browsers guess at.
func isHTML(h http.Header) bool {
	kind := h.Get("Content-Type")
	return kind == "" || contains(kind, "html") || contains(kind, "xml")
}
