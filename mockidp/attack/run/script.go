package run

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// script is one attempt at a flow. Its methods keep the first error before the
// attack and do nothing after it, so that a flow can be written as a list of
// steps.
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

// begin returns a visit of a new browser that waits for an answer.
func (s *script) begin() *visit {
	if s.err == nil {
		v, err := s.runner.begin(s.ctx)
		if err == nil {
			return v
		}
		s.fail(err)
	}
	return s.newVisit()
}

// document makes a case's hostile document for a visit. change may be nil.
func (s *script) document(v *visit, c attack.Case, change func(*attack.Params)) []byte {
	return s.message(v, c, change).SAMLResponse
}

func (s *script) message(v *visit, c attack.Case, change func(*attack.Params)) attack.Message {
	p := s.params(v, c, s.way)
	if change != nil {
		change(&p)
	}
	m, err := c.Make(p)
	if err != nil {
		s.fail(err)
	}
	return m
}

// good makes a good document.
func (s *script) good(v *visit) []byte { return s.document(v, good, nil) }

// forged makes an unsigned document about Target.Forged.
func (s *script) forged(v *visit) []byte {
	return s.document(v, s.unsigned, func(p *attack.Params) { p.Sign, p.Subject = attack.SignAssertion, s.Forged })
}

const formType = "application/x-www-form-urlencoded"

// posting is the request of a form.
func posting(to string, form url.Values) request {
	return request{method: http.MethodPost, to: to, contentType: formType, body: form.Encode()}
}

func (s *script) send(b *browser, q request) (page, error) {
	if s.err != nil {
		return page{}, s.err
	}
	return b.send(s.ctx, q)
}

// post posts a form to the assertion consumer service.
func (s *script) post(b *browser, form url.Values) (page, error) {
	return s.send(b, posting(s.ACS, form))
}

// posted posts a form to an address. The user who is signed in afterwards
// determines the flow's result. tolerated is the reason why a sign-in would be
// harmless, or "".
func (s *script) posted(b *browser, to string, form url.Values, tolerated string) RunResult {
	p, err := s.send(b, posting(to, form))
	return s.outcome(b, p, err, tolerated)
}

// outcome returns a flow's result, by the user who is signed in after the last
// message.
func (s *script) outcome(b *browser, p page, posting error, tolerated string) RunResult {
	if s.err != nil {
		return s.inconclusive()
	}
	user, _, err := s.probe(s.ctx, b)
	out := RunResult{Identity: user, Verdict: Refused, Status: p.status}
	if posting == nil {
		out.Says = excerpt(p.body)
	}
	switch {
	case user != "" && tolerated != "":
		out.Verdict, out.Reason = Tolerated, tolerated
	case user != "":
		out.Verdict, out.Reason = LetIn, fmt.Sprintf("signed in as %q", user)
	case posting != nil || p.status >= 500:
		s.markServerError(&out, p, posting)
	case err != nil:
		out.Verdict, out.Reason = Failed, reason(err)
	}
	return out
}

// inconclusive is the result of a flow that failed before its attack.
func (s *script) inconclusive() RunResult {
	out := inconclusive(reason(s.err))
	out.twinRefused = errors.Is(s.err, errTwinRefused)
	return out
}

var errTwinRefused = errors.New("a good response is not accepted")

// signIn is a visit whose browser has signed in. before is a copy of the
// browser from before the response was posted.
type signIn struct {
	*visit
	before   *browser
	response []byte
	xml      []byte // the document in it
}

// signIn signs a user in by a visit. change may be nil.
func (s *script) signIn(v *visit, change func(*attack.Params)) *signIn {
	m := s.message(v, good, change)
	out := &signIn{visit: v, before: v.b.clone(), response: m.SAMLResponse, xml: m.XML}
	p, err := s.post(v.b, v.form(out.response))
	if err != nil {
		s.fail(fmt.Errorf("a good response gets no answer: %w", err))
		return out
	}
	switch user, _, err := s.probe(s.ctx, v.b); {
	case err != nil:
		s.fail(err)
	case user == "":
		s.fail(fmt.Errorf("%w: status %d, %s", errTwinRefused, p.status, excerpt(p.body)))
	}
	return out
}

// sameSession is the reason why flows that need the browser's state before
// sign-in can't run.
const sameSession = "the session is the same before and after signing in, so the earlier state can't be restored"

// restore returns a browser in the state before sign-in, or nil if that state
// is signed in. Some service providers keep one session across the sign-in.
func (s *script) restore(in *signIn) *browser {
	if s.err != nil {
		return nil
	}
	b := in.before.clone()
	if user, _, err := s.probe(s.ctx, b); err != nil || user != "" {
		return nil
	}
	return b
}
