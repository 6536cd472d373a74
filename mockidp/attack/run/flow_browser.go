package run

import (
	"net/url"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D11, D18, D19, D47: a message is for the browser that made the request, and for
// the address that the request named.

func browsers() map[string]func(*script) RunResult {
	return map[string]func(*script) RunResult{
		"D11/waiting":         anothersAnswer(true),
		"D11/idle":            anothersAnswer(false),
		"D11/without-cookies": withoutCookies,
		"D18":                 atOtherACS,
		"D19/host":            spoofed("Host"),
		"D19/forwarded-host":  spoofed("X-Forwarded-Host"),
		"D47/signed-out":      loginCSRF(false),
		"D47/signed-in":       loginCSRF(true),
	}
}

func anothersAnswer(waiting bool) func(*script) RunResult {
	return func(s *script) RunResult {
		attacker, victim := s.begin(), s.newVisit()
		if waiting {
			victim = s.begin()
		}
		return s.posted(victim.b, s.ACS, attacker.form(s.good(attacker)), "")
	}
}

func withoutCookies(s *script) RunResult {
	v := s.begin()
	return s.posted(s.newBrowser(), s.ACS, v.form(s.good(v)), "")
}

func atOtherACS(s *script) RunResult {
	v, tolerated := s.begin(), ""
	if v.request == nil {
		tolerated = "there was no request, and it is an ACS URL of the same service provider"
	}
	response := s.document(v, good, func(p *attack.Params) { p.Recipient = s.OtherACS })
	return s.posted(v.b, s.OtherACS, v.form(response), tolerated)
}

// spoofed posts a message for another host to the service provider, with a header
// that names that host.
func spoofed(header string) func(*script) RunResult {
	const evil = "attacker.example"
	return func(s *script) RunResult {
		v := s.begin()
		there, err := url.Parse(s.ACS)
		if err != nil {
			s.fail(err)
			return s.inconclusive()
		}
		there.Host = evil
		q := posting(s.ACS, v.form(s.document(v, good, func(p *attack.Params) { p.Recipient = there.String() })))
		if header == "Host" {
			q.host = evil
		} else {
			q.header = map[string]string{header: evil}
		}
		p, err := s.send(v.b, q)
		return s.outcome(v.b, p, err, "")
	}
}

// loginCSRF: the victim's browser posts the attacker's own response.
func loginCSRF(signedIn bool) func(*script) RunResult {
	return func(s *script) RunResult {
		victim := s.newVisit()
		if signedIn {
			victim.b = s.signIn(s.begin(), nil).b
		}
		response := s.document(victim, good, func(p *attack.Params) { p.Subject = s.Forged })
		out := s.posted(victim.b, s.ACS, victim.form(response),
			"unsolicited responses are allowed here, and the specifications define no defence against that")
		if signedIn && out.Identity == s.Subject {
			out.Verdict, out.Reason = Refused, "the same user is still signed in"
		}
		return out
	}
}
