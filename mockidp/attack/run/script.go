package run

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// script is an attempt at a flow. Its methods note the first thing that goes
// wrong before the attack, and do nothing from then on, so that a flow can be
// written as the list of what it does.
type script struct {
	*runner
	ctx context.Context
	err error
}

func (s *script) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// fresh is a visit of a browser that asked nothing.
func (s *script) fresh() *visit { return &visit{r: s.runner, b: s.newBrowser()} }

// begin is a visit of a new browser that waits for an answer.
func (s *script) begin() *visit {
	if s.err == nil {
		v, err := s.runner.begin(s.ctx)
		if err == nil {
			return v
		}
		s.fail(err)
	}
	return s.fresh()
}

// document makes a case's hostile document for a visit or, without an attack, a
// good one. change may be nil.
func (s *script) document(v *visit, c attack.Case, change func(*attack.Params)) []byte {
	p := s.params(v, c, s.way)
	if change != nil {
		change(&p)
	}
	m, err := c.Make(p)
	if err != nil {
		s.fail(err)
	}
	return m.SAMLResponse
}

// good makes a good document.
func (s *script) good(v *visit) []byte { return s.document(v, good, nil) }

// forged makes a document that is not signed, about Target.Forged.
func (s *script) forged(v *visit) []byte {
	return s.document(v, s.unsigned, func(p *attack.Params) { p.Sign, p.Subject = attack.SignAssertion, s.Forged })
}

// post brings a form to an assertion consumer service.
func (s *script) post(b *browser, to string, form url.Values) (page, error) {
	return s.send(b, request{method: http.MethodPost, to: to, contentType: formType, body: form.Encode()})
}

func (s *script) send(b *browser, q request) (page, error) {
	if s.err != nil {
		return page{}, s.err
	}
	return b.send(s.ctx, q)
}

// posted posts a form, and is the flow's result by who is signed in then.
// tolerated says why that would be no hole; "" if it is one.
func (s *script) posted(b *browser, to string, form url.Values, tolerated string) RunResult {
	p, err := s.post(b, to, form)
	return s.seen(b, p, err, tolerated)
}

// seen is a flow's result by who is signed in after the last message.
func (s *script) seen(b *browser, p page, posting error, tolerated string) RunResult {
	if s.err != nil {
		return s.open()
	}
	who, _, err := s.probe(s.ctx, b)
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
		s.unwell(&out, p, posting)
	case err != nil:
		out.Verdict, out.Reason = Failed, "the probe can't be read: "+oneLine(err.Error())
	}
	return out
}

// open is a flow's result where the attack itself never came about.
func (s *script) open() RunResult {
	return RunResult{Verdict: Inconclusive, Reason: oneLine(s.err.Error())}
}

// signIn is a visit that ended well: its browser is signed in. before is the
// browser as it was when the response was about to be posted.
type signIn struct {
	*visit
	before   *browser
	response []byte
}

// signIn signs a user in by a visit. change may be nil.
func (s *script) signIn(v *visit, change func(*attack.Params)) *signIn {
	out := &signIn{visit: v, before: v.b.clone(), response: s.document(v, good, change)}
	p, err := s.post(v.b, s.ACS, v.form(out.response))
	if err != nil {
		s.fail(fmt.Errorf("a good response gets no answer: %w", err))
		return out
	}
	switch who, _, err := s.probe(s.ctx, v.b); {
	case err != nil:
		s.fail(fmt.Errorf("the probe can't be read: %w", err))
	case who == "":
		s.fail(fmt.Errorf("a good response is not accepted: status %d, %s", p.status, excerpt(p.body)))
	}
	return out
}

// noWayBack is why a flow is not run that takes a browser from before it signed in.
const noWayBack = "the session from before signing in is the one from after: there is no way back to before"

// again is a browser in the state of before, if that is still signed out: not
// where a service provider keeps one session from before signing in to after.
func (s *script) again(in *signIn) *browser {
	if s.err != nil {
		return nil
	}
	b := in.before.clone()
	if who, _, err := s.probe(s.ctx, b); err != nil || who != "" {
		return nil
	}
	return b
}

// contains reports whether a text holds another one, whatever its case.
func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
