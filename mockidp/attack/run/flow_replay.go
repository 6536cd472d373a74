package run

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D01 to D07: one assertion may sign a user in once (Profiles 4.1.4.5).

func replays() map[string]func(*script) RunResult {
	return map[string]func(*script) RunResult{
		"D01/same-browser":  replayed(nil, same),
		"D01/other-browser": replayElsewhere,
		"D01/unsolicited":   replayUnsolicited(nil, same),
		"D02":               replayAtOtherACS,
		"D03":               replayAtOnce,
		"D05/same-browser":  replayed(assertionSigned, renewed),
		"D05/unsolicited":   replayUnsolicited(assertionSigned, renewed),
		"D06":               answeredTwice,
		"D07":               replayAtTheEnd,
	}
}

// same is the message that was posted before.
func same(_ *script, in *signIn) []byte { return in.response }

// renewed gives the unsigned Response around the assertion another ID.
func renewed(s *script, in *signIn) []byte {
	text, err := base64.StdEncoding.DecodeString(string(in.response))
	before, after, ok := bytes.Cut(text, []byte(` ID="`))
	if err != nil || !ok {
		s.fail(errors.New("the Response has no ID"))
	}
	return []byte(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `%s ID="new%s`, before, after)))
}

// assertionSigned signs the assertion and not the Response.
func assertionSigned(p *attack.Params) { p.Sign = attack.SignAssertion }

// replayed signs a user in, and posts the message again with the cookies from
// before.
func replayed(change func(*attack.Params), message func(*script, *signIn) []byte) func(*script) RunResult {
	return func(s *script) RunResult {
		first := s.signIn(s.begin(), change)
		b := s.restore(first)
		if s.err == nil && b == nil {
			return notRun(sameSession)
		}
		return s.posted(b, s.ACS, first.form(message(s, first)), "")
	}
}

// replayElsewhere posts a used message in another browser that waits for its own
// answer.
func replayElsewhere(s *script) RunResult {
	first := s.signIn(s.begin(), nil)
	other := s.begin()
	return s.posted(other.b, s.ACS, other.form(first.response), "")
}

// replayUnsolicited has no request that could be marked as used, so only a
// record of assertions detects it.
func replayUnsolicited(change func(*attack.Params), message func(*script, *signIn) []byte) func(*script) RunResult {
	return func(s *script) RunResult {
		if !s.unsolicited {
			return RunResult{Verdict: Refused, Reason: "unsolicited responses are refused"}
		}
		first, other := s.signIn(s.newVisit(), change), s.newVisit()
		return s.posted(other.b, s.ACS, other.form(message(s, first)), "")
	}
}

func replayAtOtherACS(s *script) RunResult {
	first := s.signIn(s.begin(), nil)
	b := s.restore(first)
	if b == nil {
		b = s.newBrowser()
	}
	return s.posted(b, s.OtherACS, first.form(first.response), "")
}

// replayAtOnce posts one message from eight copies of a browser. One of them may
// be signed in.
func replayAtOnce(s *script) RunResult {
	first, v := s.signIn(s.begin(), nil), s.newVisit()
	if s.restore(first) != nil { // sessions begin at sign-in, so copies have their own
		v = s.begin()
	} else if s.err == nil && !s.unsolicited {
		return notRun("the session is the same before and after signing in, so copies of the browser share it")
	}
	form := v.form(s.good(v))
	const n = 8
	copies := make([]*browser, n)
	var wg sync.WaitGroup
	for i := range copies {
		copies[i] = v.b.clone()
		wg.Go(func() { _, _ = s.post(copies[i], form) })
	}
	wg.Wait()
	in, user := 0, ""
	for _, b := range copies {
		if name, _, err := s.probe(s.ctx, b); err == nil && name != "" {
			in, user = in+1, name
		}
	}
	if in == 0 {
		s.fail(fmt.Errorf("none of %d was accepted", n))
	}
	switch {
	case s.err != nil:
		return s.inconclusive()
	case in == 1:
		return RunResult{Verdict: Refused, Reason: "one of eight was accepted"}
	}
	reason := fmt.Sprintf("%d of %d were signed in by one assertion", in, n)
	return RunResult{Verdict: LetIn, Identity: user, Reason: reason}
}

// answeredTwice: a request may be answered once. The second answer names
// another user, so that a sign-in is visible even in the same session.
func answeredTwice(s *script) RunResult {
	first := s.signIn(s.begin(), nil)
	b := s.restore(first)
	if b == nil {
		b = first.b
	}
	second := s.document(first.visit, good, func(p *attack.Params) { p.Subject = s.Forged })
	out := s.posted(b, s.ACS, first.form(second), "")
	if out.Verdict == LetIn && out.Identity != s.Forged {
		out.Verdict, out.Reason = Refused, "still signed in as the first"
	}
	return out
}

// replayAtTheEnd: a message that has expired by less than the skew may be
// accepted, and must be remembered then.
func replayAtTheEnd(s *script) RunResult {
	v := s.newVisit()
	if !s.unsolicited {
		v = s.begin()
	}
	first := s.signIn(v, func(p *attack.Params) {
		p.Now = p.Now.Add(-5*time.Minute - 30*time.Second) // an assertion says five minutes
	})
	if s.err != nil {
		return RunResult{Verdict: Refused, Reason: "30 s after its end it is not accepted at all: " + reason(s.err)}
	}
	b := s.newBrowser()
	if !s.unsolicited {
		b = s.restore(first)
	}
	if b == nil {
		return notRun(sameSession)
	}
	return s.posted(b, s.ACS, first.form(first.response), "")
}
