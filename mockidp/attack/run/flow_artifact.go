package run

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Rows of families H and K about artifacts that take several messages, or other answers of a server.

// fault is a SOAP Fault (SOAP 1.1, section 4.4).
const fault = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault>` +
	`<faultcode>S:Server</faultcode><faultstring>no</faultstring></S:Fault></S:Body></S:Envelope>`

func artifactFlows() map[string]func(*script) RunResult {
	out := map[string]func(*script) RunResult{
		"H06":               artifactAtOnce,
		"H07":               artifactAgain,
		"H14/redirect":      redirectedCall,
		"H16/slow":          slowAnswer,
		"H16/endless":       endlessAnswer,
		"H17":               anothersArtifact,
		"H18/with-response": artifactWithResponse,
		"H18/twice":         artifactTwice,
		"H18/query-and-form": func(s *script) RunResult {
			return s.twoArtifacts(func(v *visit, good, forged string) (page, error) {
				f := v.form(nil)
				f.Del("SAMLResponse")
				f.Set("SAMLart", forged)
				return s.send(v.b, posting(withQuery(s.ArtifactACS, "SAMLart="+url.QueryEscape(good)), f))
			})
		},
		"H18/head":    artifactByHead,
		"K03":         artifactFlood,
		"J20/sign-in": postedAttributes,
	}
	for name, odd := range map[string]struct {
		status      int
		contentType string
		body        string // empty: the good answer
		why         string
	}{
		"fault":        {http.StatusInternalServerError, soapType, fault, ""},
		"status":       {http.StatusInternalServerError, soapType, "", "the answer is good, its status is not read"},
		"html":         {http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><title>Welcome</title>", ""},
		"content-type": {http.StatusOK, "application/octet-stream", "", "the answer is good, its Content-Type is not read"},
	} {
		out["H14/"+name] = func(s *script) RunResult {
			return s.answered(odd.why, func(good func(call) ([]byte, error)) answer {
				return func(w http.ResponseWriter, c call) {
					body := []byte(odd.body)
					if odd.body == "" {
						body, _ = good(c)
					}
					w.Header().Set("Content-Type", odd.contentType)
					w.WriteHeader(odd.status)
					_, _ = w.Write(body)
				}
			})
		}
	}
	return out
}

// artifactVisit returns a visit for which a good artifact would be accepted, and the parameters.
func (s *script) artifactVisit() (*visit, attack.ArtifactParams) {
	if twin := s.artifactTwin(s.ctx, goodArtifact); s.err == nil && twin.Verdict != Accepted {
		s.fail(fmt.Errorf("%w: %s", errTwinRefused, twin.Reason))
	}
	v := s.begin()
	return v, s.artifactParams(v, goodArtifact)
}

// artifact returns a good artifact.
func (s *script) artifact(p attack.ArtifactParams) string {
	m, err := goodArtifact.Make(p)
	if err != nil {
		s.fail(err)
	}
	return m.Artifact
}

// answered brings a good artifact and answers with a function of the good answer.
func (s *script) answered(tolerated string, odd func(good func(call) ([]byte, error)) answer) RunResult {
	v, p := s.artifactVisit()
	calls := s.BackChannel.expect(odd(answering(p, goodArtifact.Make)))
	defer s.BackChannel.refuse()
	got, err := s.bring(v, s.artifact(p))
	if s.err == nil && err == nil && calls() == 0 {
		return inconclusive("the service provider did not resolve the artifact")
	}
	return s.withoutAnswer(s.outcome(v.b, got, err, tolerated))
}

// withoutAnswer is the result where the service provider got no answer that it can use. It may say so by a status for
// that (RFC 9110, 15.6.3 to 15.6.5).
func (s *script) withoutAnswer(out RunResult) RunResult {
	gateway := out.Status > http.StatusNotImplemented && out.Status <= http.StatusGatewayTimeout
	if out.Verdict == Failed && out.Status != 0 && (gateway || out.Status == s.artifactRefusal) {
		out.Verdict, out.Reason = Refused, ""
	}
	return out
}

// artifactAtOnce brings one artifact from eight copies of a browser, and answers each call with the same message. One
// of them may be signed in.
func artifactAtOnce(s *script) RunResult {
	v, p := s.artifactVisit()
	same := func(p attack.ArtifactParams) (attack.ArtifactMessage, error) {
		p.Rand = rand.NewChaCha8([32]byte{6})
		return goodArtifact.Make(p)
	}
	s.BackChannel.expect(sending(answering(p, same)))
	defer s.BackChannel.refuse()
	if s.err != nil {
		return s.inconclusive()
	}
	artifact := s.artifact(p)
	const n = 8
	copies := make([]*visit, n)
	var wg sync.WaitGroup
	for i := range copies {
		copied := *v
		copied.b = v.b.clone()
		copies[i] = &copied
		wg.Go(func() { _, _ = (&script{runner: s.runner, ctx: s.ctx}).bring(copies[i], artifact) })
	}
	wg.Wait()
	in := 0
	cookies := make(map[string]bool)
	for _, c := range copies {
		if name, _, err := s.probe(s.ctx, c.b); err == nil && name != "" {
			in++
			cookies[fmt.Sprint(c.b.cookies())] = true
		}
	}
	switch {
	case in <= 1:
		return RunResult{Verdict: Refused, Reason: fmt.Sprintf("%d of %d were accepted", in, n)}
	case len(cookies) == 1:
		return notRun("the session is the same before and after signing in, so copies of the browser share it")
	}
	return RunResult{
		Verdict: LetIn, Identity: s.Subject, Reason: fmt.Sprintf("%d of %d were signed in by one artifact", in, n),
	}
}

// artifactAgain brings an artifact whose first call fails, twice.
func artifactAgain(s *script) RunResult {
	v, p := s.artifactVisit()
	artifact, before := s.artifact(p), v.b.clone()
	var once sync.Once
	good := sending(answering(p, goodArtifact.Make))
	calls := s.BackChannel.expect(func(w http.ResponseWriter, c call) {
		failed := false
		once.Do(func() {
			http.Error(w, "failed", http.StatusInternalServerError)
			failed = true
		})
		if !failed {
			good(w, c)
		}
	})
	defer s.BackChannel.refuse()
	if _, err := s.bring(v, artifact); err != nil {
		return s.artifactFailed(err)
	}
	if user, _, err := s.probe(s.ctx, v.b); err != nil || user != "" || calls() == 0 {
		return notRun("the service provider asks again itself")
	}
	v.b = before
	got, err := s.bring(v, artifact)
	return s.withoutAnswer(s.outcome(v.b, got, err, ""))
}

// artifactFailed is the result if there was no answer before the attack.
func (s *script) artifactFailed(err error) RunResult {
	if s.err != nil {
		return s.inconclusive()
	}
	return noAnswer(err)
}

// redirectedCall answers with a redirect. The identity provider could lead a call to any address so.
func redirectedCall(s *script) RunResult {
	const moved = "moved=1"
	followed := make(chan struct{}, 8)
	out := s.answered("", func(good func(call) ([]byte, error)) answer {
		return func(w http.ResponseWriter, c call) {
			if c.query == moved {
				select {
				case followed <- struct{}{}:
				default:
				}
				sending(good)(w, c)
				return
			}
			w.Header().Set("Location", "?"+moved)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	})
	if len(followed) > 0 {
		out.Verdict, out.Reason = LetIn, "the call follows a redirect"
	}
	return out
}

// slowAnswer lets a call wait until the service provider gives up, for at most Target.Timeout. Meanwhile another user
// signs in.
func slowAnswer(s *script) RunResult {
	arrived, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	v, p := s.artifactVisit()
	artifact := s.artifact(p)
	s.BackChannel.expect(func(_ http.ResponseWriter, c call) {
		once.Do(func() { close(arrived) })
		select {
		case <-release:
		case <-c.ended:
		}
	})
	defer s.BackChannel.refuse()
	defer close(release)
	if s.err != nil {
		return s.inconclusive()
	}
	type result struct {
		page page
		err  error
	}
	done := make(chan result, 1)
	go func() {
		got, err := (&script{runner: s.runner, ctx: s.ctx}).bring(v, artifact)
		done <- result{got, err}
	}()
	select {
	case <-arrived:
	case x := <-done:
		return s.outcome(v.b, x.page, x.err, "")
	}
	other := &script{runner: s.runner, ctx: s.ctx}
	other.signIn(other.begin(), nil)
	x := <-done
	if other.err != nil {
		return RunResult{Verdict: Failed, Reason: "meanwhile no other user can sign in: " + reason(other.err)}
	}
	return s.withoutAnswer(s.outcome(v.b, x.page, x.err, ""))
}

// endlessAnswer sends blanks before an answer, as long as the service provider reads them.
func endlessAnswer(s *script) RunResult {
	const most = 64 << 20
	v, p := s.artifactVisit()
	var mu sync.Mutex
	sent := 0
	s.BackChannel.expect(func(w http.ResponseWriter, c call) {
		w.Header().Set("Content-Type", soapType)
		blanks, until := strings.Repeat(" ", 64<<10), time.Now().Add(s.Timeout)
		for n := 0; n < most && time.Now().Before(until); n += len(blanks) {
			if _, err := io.WriteString(w, blanks); err != nil {
				return
			}
			mu.Lock()
			sent = n + len(blanks)
			mu.Unlock()
		}
		panic(http.ErrAbortHandler) // which ends the connection before the answer ends
	})
	defer s.BackChannel.refuse()
	got, err := s.bring(v, s.artifact(p))
	out := s.withoutAnswer(s.outcome(v.b, got, err, ""))
	mu.Lock()
	defer mu.Unlock()
	if out.Verdict == Refused && sent >= most {
		out.Reason = fmt.Sprintf("it reads %d MiB of an answer", most>>20)
	}
	return out
}

// anothersArtifact brings an artifact of the other identity provider for a request to the first, and answers as that
// one.
func anothersArtifact(s *script) RunResult {
	if s.OtherIdP.BackChannel == "" {
		out := notRun("it needs another identity provider whose artifacts are resolved at this tool")
		out.Needs = NeedOtherIdP
		return out
	}
	by := func(v *visit) RunResult {
		p := s.artifactParams(v, goodArtifact)
		s.byOther(&p.Params)
		s.BackChannel.expect(sending(answering(p, goodArtifact.Make)))
		defer s.BackChannel.refuse()
		got, err := s.bring(v, s.artifact(p))
		return s.outcome(v.b, got, err, "")
	}
	if twin := by(s.beginAtOther()); s.err == nil && twin.Identity != s.Subject {
		s.fail(fmt.Errorf("%w, by an artifact of the other identity provider: status %d, %s", errTwinRefused, twin.Status,
			twin.Says))
	}
	return by(s.begin())
}

// artifactWithResponse sends an artifact and an unsigned response in one form.
func artifactWithResponse(s *script) RunResult {
	v, p := s.artifactVisit()
	s.BackChannel.expect(sending(answering(p, goodArtifact.Make)))
	defer s.BackChannel.refuse()
	f := v.form(s.forged(v))
	f.Set("SAMLart", s.artifact(p))
	got, err := s.send(v.b, posting(s.ArtifactACS, f))
	return s.ofTwo(v, got, err)
}

// ofTwo is the result of two messages at once.
func (s *script) ofTwo(v *visit, got page, err error) RunResult {
	out := s.withoutAnswer(s.outcome(v.b, got, err, "of two messages, the good one is used"))
	if out.Identity == s.Forged {
		out.Verdict, out.Reason = LetIn, forgedName
	}
	return out
}

func artifactTwice(s *script) RunResult {
	return s.twoArtifacts(func(v *visit, good, forged string) (page, error) { return s.bring(v, good, forged) })
}

// twoArtifacts has two artifacts, of which one leads to an unsigned response about another user.
func (s *script) twoArtifacts(send func(v *visit, good, forged string) (page, error)) RunResult {
	v, p := s.artifactVisit()
	unsigned, forged := unsignedArtifact(), p
	forged.Subject, forged.SignAround = s.Forged, false
	artifacts := [2]string{s.artifact(p), s.artifact(forged)}
	s.BackChannel.expect(func(w http.ResponseWriter, c call) {
		make := answering(p, goodArtifact.Make)
		if c.artifact == artifacts[1] {
			make = answering(forged, unsigned.Make)
		}
		sending(make)(w, c)
	})
	defer s.BackChannel.refuse()
	if s.err != nil {
		return s.inconclusive()
	}
	got, err := send(v, artifacts[0], artifacts[1])
	return s.ofTwo(v, got, err)
}

// artifactByHead: HEAD is sent for a preview, and uses the artifact up.
func artifactByHead(s *script) RunResult {
	v, p := s.artifactVisit()
	calls := s.BackChannel.expect(sending(answering(p, goodArtifact.Make)))
	defer s.BackChannel.refuse()
	f := v.form(nil)
	f.Del("SAMLResponse")
	f.Set("SAMLart", s.artifact(p))
	got, err := s.send(v.b, request{method: http.MethodHead, to: withQuery(s.ArtifactACS, f.Encode())})
	out := s.withoutAnswer(s.outcome(v.b, got, err, otherChannel))
	if out.Verdict == Refused && calls() > 0 {
		out.Verdict, out.Reason = LetIn, "the artifact is resolved, and so used up"
	}
	return out
}

// artifactFlood brings artifacts of the identity provider that it never made, in browsers without a request.
func artifactFlood(s *script) RunResult {
	_, p := s.artifactVisit()
	calls := s.BackChannel.expect(func(w http.ResponseWriter, _ call) { http.Error(w, "unknown", http.StatusNotFound) })
	defer s.BackChannel.refuse()
	var got page
	for range 8 {
		var err error
		if got, err = s.bring(s.newVisit(), s.artifact(p)); err != nil {
			return s.artifactFailed(err)
		}
	}
	out := RunResult{Verdict: Refused, Status: got.status, Says: excerpt(got.body)}
	switch n := calls(); {
	case n > 0 && s.unsolicited:
		out.Verdict, out.Reason = Tolerated, "unsolicited responses are allowed here"
	case n > 0:
		out.Verdict, out.Reason = LetIn, fmt.Sprintf("%d calls for 8 artifacts that no request waits for", n)
	}
	return out
}
