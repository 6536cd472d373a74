package run

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Rows of families G and J that take several messages or browsers.

func logoutFlows() map[string]func(*script) RunResult {
	return map[string]func(*script) RunResult{
		"G15": replayedLogout,
		"G23": logoutRedirects,
		"G24": logoutMarkup,
		"G28": lateAssertion,
		"G31": logoutWithoutCookies,
		"J13": longRelayState,
		"J15": copiedSession,
	}
}

// logoutBy returns a good LogoutRequest through the browser, by a binding that the service provider has: of all
// sessions of the user, or of the one.
func (s *script) logoutBy(all bool) attack.LogoutCase {
	binding := attack.ByRedirect
	if s.Logout[binding] == "" {
		binding = attack.ByPOST
	}
	c := attack.LogoutCase{ID: "good", Binding: binding}
	if all {
		cases := attack.LogoutCases()
		c = cases[slices.IndexFunc(cases, func(c attack.LogoutCase) bool {
			return c.Row() == "G16" && c.Outcome.Ends() && c.Binding == binding
		})]
	}
	twin := s.logoutTwin(s.ctx, attack.LogoutCase{ID: "good", Binding: binding})
	if s.err == nil && twin.Verdict != Accepted {
		s.fail(fmt.Errorf("%w: %s", errTwinRefused, twin.Reason))
	}
	return c
}

// kept returns a function that makes a message once and keeps it.
func kept(c attack.LogoutCase, m *attack.LogoutMessage) func(attack.LogoutParams) (attack.LogoutMessage, error) {
	return func(p attack.LogoutParams) (attack.LogoutMessage, error) {
		var err error
		*m, err = c.Make(p)
		return *m, err
	}
}

// replayedLogout sends a LogoutRequest that ended all sessions again, in a session that began after it.
func replayedLogout(s *script) RunResult {
	c := s.logoutBy(true)
	first := s.signIn(s.begin(), nil)
	var m attack.LogoutMessage
	_, err := s.sendLogout(first.b, first, c, kept(c, &m))
	if s.err != nil || err != nil {
		return s.inconclusive()
	}
	if user, _, err := s.probe(s.ctx, first.b); err != nil || user != "" {
		return notRun("a LogoutRequest without a SessionIndex does not end the session")
	}
	again := s.signIn(s.begin(), nil)
	p, err := s.sendMessage(again.b, m, "")
	if s.err != nil {
		return s.inconclusive()
	}
	return s.afterLogout(again.b, false, p, err)
}

// logoutRedirects sends good LogoutRequests with the RelayStates of open redirects.
func logoutRedirects(s *script) RunResult {
	c := s.logoutBy(false)
	out := RunResult{Verdict: Refused}
	for _, relayState := range []string{
		"https://attacker.example/", "//attacker.example/", `\\attacker.example/`, "///attacker.example/",
		"javascript:alert('attacker.example')", "/x\r\nX-Attacker: attacker.example",
	} {
		in := s.signIn(s.begin(), nil)
		p, err := s.sendLogout(in.b, in, c, withRelayState(c, relayState))
		switch {
		case s.err != nil:
			return s.inconclusive()
		case err != nil:
			return noAnswer(err)
		case leads(p) != "":
			out.Verdict, out.Status, out.Reason = LetIn, p.status, leads(p)
			return out
		}
		s.markServerError(&out, p, nil)
	}
	return out
}

func withRelayState(c attack.LogoutCase, state string) func(attack.LogoutParams) (attack.LogoutMessage, error) {
	return func(p attack.LogoutParams) (attack.LogoutMessage, error) {
		p.RelayState = state
		return c.Make(p)
	}
}

// logoutMarkup looks for markup in the form with the answer.
func logoutMarkup(s *script) RunResult {
	c := s.logoutBy(false)
	in := s.signIn(s.begin(), nil)
	p, err := s.sendLogout(in.b, in, c, withRelayState(c, markup))
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

// lateAssertion sends an assertion after a LogoutRequest of all sessions that was issued after it.
func lateAssertion(s *script) RunResult {
	c := s.logoutBy(true)
	first, late := s.signIn(s.begin(), nil), s.begin()
	response := s.good(late)
	if _, err := s.sendLogout(first.b, first, c, c.Make); err != nil || s.err != nil {
		return s.inconclusive()
	}
	if user, _, err := s.probe(s.ctx, first.b); err != nil || user != "" {
		return notRun("a LogoutRequest without a SessionIndex does not end the session")
	}
	return s.posted(late.b, s.ACS, late.form(response), "")
}

// logoutWithoutCookies sends a LogoutRequest as from a frame, to which a browser adds no cookies of the service
// provider.
func logoutWithoutCookies(s *script) RunResult {
	c := s.logoutBy(false)
	in := s.signIn(s.begin(), nil)
	p, err := s.sendLogout(s.newBrowser(), in, c, c.Make)
	if s.err != nil {
		return s.inconclusive()
	}
	return s.afterLogout(in.b, true, p, err)
}

// longRelayState looks at the RelayState of a request.
func longRelayState(s *script) RunResult {
	v := s.begin()
	switch {
	case s.err != nil:
		return s.inconclusive()
	case v.request == nil || !v.request.hasRelayState:
		return notRun("requests come without a RelayState")
	case len(v.request.relayState) > 80:
		return RunResult{Verdict: LetIn, Reason: fmt.Sprintf("its RelayState has %d bytes", len(v.request.relayState))}
	}
	return RunResult{Verdict: Refused}
}

// copiedSession signs a user out in one browser, and looks at another with the same cookies.
func copiedSession(s *script) RunResult {
	c := s.logoutBy(false)
	in := s.signIn(s.begin(), nil)
	copied := in.b.clone()
	p, err := s.sendLogout(in.b, in, c, c.Make)
	if s.err != nil {
		return s.inconclusive()
	}
	out := s.afterLogout(copied, true, p, err)
	switch out.Verdict {
	case Accepted:
		out.Verdict = Refused
	case Stricter:
		out.Verdict, out.Reason = LetIn, "a copy of the session's cookies is signed in after the logout"
	}
	return out
}
