package run

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// D44 to D46: RelayState may be an attacker's text (Bindings 3.5.3).

const attackersHost = "attacker.example"

func relayStates() map[string]func(*script) RunResult {
	unknown := func(*script) *string { return new("unknown-0123456789") }
	return map[string]func(*script) RunResult{
		"D45/other":    swapped(otherRelayState, unbound),
		"D45/unknown":  swapped(unknown, unbound),
		"D45/missing":  swapped(func(*script) *string { return nil }, dropped),
		"D46/refused":  reflected(false),
		"D46/accepted": reflected(true),
	}
}

func openRedirects() []flow {
	var out []flow
	for _, x := range []struct{ name, value string }{
		{"https", "https://attacker.example/"}, {"scheme-relative", "//attacker.example/"},
		{"backslash", `/\attacker.example/`}, {"backslashes", `\\attacker.example/`},
		{"tab", "/\t/attacker.example/"}, {"userinfo", "https://%SELF%@attacker.example/"},
		{"prefix", "%SELF%.attacker.example/"}, {"javascript", "javascript:alert('attacker.example')"},
		{"data", "data:text/html,attacker.example"}, {"header", "/x\r\nX-Attacker: attacker.example"},
	} {
		title := fmt.Sprintf("RelayState as an open redirect: %q", x.value)
		out = append(out, flow{id: "D44/" + x.name, title: title, run: redirected(x.value)})
	}
	return out
}

// redirected follows a good message with another RelayState, as the answer to a
// request and unsolicited.
func redirected(relayState string) func(*script) RunResult {
	return func(s *script) RunResult {
		self, err := url.Parse(s.ACS)
		if err != nil {
			s.fail(err)
			return s.inconclusive()
		}
		state := strings.ReplaceAll(relayState, "%SELF%", self.Host)
		if strings.HasPrefix(relayState, "%SELF%") {
			state = self.Scheme + "://" + state
		}
		v := s.begin()
		out := s.follow(v, state)
		if s.unsolicited && out.Verdict == Refused && v.request != nil {
			out = s.follow(s.newVisit(), state)
		}
		return out
	}
}

// withState is the form of a response with a RelayState.
func withState(response []byte, relayState string) url.Values {
	return url.Values{"SAMLResponse": {string(response)}, "RelayState": {relayState}}
}

// follow posts a good message with a RelayState and checks where it redirects.
func (s *script) follow(v *visit, relayState string) RunResult {
	p, err := s.post(v.b, withState(s.good(v), relayState))
	switch {
	case s.err != nil:
		return s.inconclusive()
	case err != nil:
		return noAnswer(err)
	}
	out := RunResult{Verdict: Refused, Status: p.status, Says: excerpt(p.body)}
	if letIn := leads(p); letIn != "" {
		out.Verdict, out.Reason = LetIn, letIn
		return out
	}
	s.markServerError(&out, p, nil)
	return out
}

func isHTTP(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// ambiguous reports whether browsers see another host in a relative reference.
func ambiguous(location string) bool {
	s := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(location)
	return strings.HasPrefix(s, "//") && strings.Contains(strings.ToLower(s), attackersHost)
}

// relayState is the RelayState of a visit's request, or nil.
func (v *visit) relayState() *string {
	if v.request == nil || !v.request.hasRelayState {
		return nil
	}
	return &v.request.relayState
}

// otherRelayState is the RelayState of another browser's request.
func otherRelayState(s *script) *string { return s.begin().relayState() }

// Reasons why another RelayState, or none, may be accepted.
const (
	unbound = "RelayState is not bound to the request here; redirects are another attack"
	dropped = "an answer without RelayState is accepted here, because some identity providers drop it"
)

// swapped answers a request with another RelayState, or with none.
func swapped(other func(*script) *string, tolerated string) func(*script) RunResult {
	return func(s *script) RunResult {
		v := s.begin()
		own := v.relayState()
		if s.err == nil && own == nil {
			return notRun("requests come without a RelayState")
		}
		state, form := other(s), url.Values{"SAMLResponse": {string(s.good(v))}}
		if state != nil {
			form.Set("RelayState", *state)
		}
		if s.err == nil && state != nil && *state == *own {
			return notRun("every request has the same RelayState")
		}
		return s.posted(v.b, s.ACS, form, tolerated)
	}
}

const markup = `"><script>alert('m46')</script><img src=x onerror=alert(46)>`

// reflected looks for markup in the service provider's answer.
func reflected(accepted bool) func(*script) RunResult {
	return func(s *script) RunResult {
		v, response := s.begin(), []byte("PHg+"+markup)
		if accepted {
			response = s.good(v)
		}
		p, err := s.post(v.b, withState(response, markup))
		switch {
		case s.err != nil:
			return s.inconclusive()
		case err != nil:
			return noAnswer(err)
		}
		out := RunResult{Verdict: Refused, Status: p.status}
		if strings.Contains(p.body, "<script>alert('m46')") && isHTML(p.header) {
			out.Verdict, out.Reason = LetIn, "the markup is part of the page"
			return out
		}
		s.markServerError(&out, p, nil)
		return out
	}
}

// isHTML: browsers guess the type of a page without one.
func isHTML(h http.Header) bool {
	kind := strings.ToLower(h.Get("Content-Type"))
	return kind == "" || strings.Contains(kind, "html") || strings.Contains(kind, "xml")
}
