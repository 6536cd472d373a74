package run

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Attacks by artifacts. A browser brings an artifact in place of a response, and the service provider resolves it at
// Target.BackChannel, which has the answer. Whether that was accepted shows by the user's session.

func artifactEntry(c attack.ArtifactCase) Entry {
	expected := "refused"
	if c.Outcome.Accepted() {
		expected = "accepted"
	}
	return newEntry(c.ID, c.Name, expected, c.Reference)
}

func (r *runner) runArtifact(ctx context.Context, c attack.ArtifactCase, why string) Result {
	need, missing := r.missingForArtifacts()
	_, needKey, noKey := r.IdP.key(c.Needs.Key)
	switch {
	case missing != "":
	case noKey != "":
		need, missing = needKey, noKey
	case c.Needs.Encrypted && r.EncryptTo == nil:
		need, missing = NeedEncryptTo, "it needs the service provider's encryption key"
	case c.Needs.SP.OtherIdP && (r.OtherIdP == nil || r.otherRefused != ""):
		need, missing = r.missingOther()
	}
	return r.runOne(ctx, artifactEntry(c), need, missing, why, func() RunResult { return r.tryArtifact(ctx, c) })
}

// missingForArtifacts returns what attacks by artifacts need and this run lacks, or "" and "".
func (r *runner) missingForArtifacts() (Need, string) {
	switch {
	case r.ArtifactACS == "":
		return NeedArtifactACS, "it needs a service provider that takes artifacts (HTTP-Artifact in its metadata)"
	case r.BackChannel == nil:
		return NeedBackChannel, "it needs a service provider that resolves artifacts at this tool"
	}
	return "", ""
}

// runOne runs an attack that is made in one way.
func (r *runner) runOne(ctx context.Context, e Entry, need Need, missing, why string, try func() RunResult) Result {
	out := e.result()
	out.Verdict = NotRun
	switch {
	case missing != "":
		out.Reason, out.Needs = missing, need
	case why != "":
		out.Verdict, out.Reason = Inconclusive, why
	case r.hasStopped():
		out.markNotRun()
	default:
		run := r.attempt(ctx, r.way, try)
		if run.Verdict == Inconclusive && run.twinRefused {
			run.Verdict, run.Needs = NotRun, NeedSupport
		}
		out.Runs = []RunResult{run}
		out.summarize()
		r.attributeStop(&out)
	}
	return out
}

// artifactMaker makes an artifact and its answer.
type artifactMaker func(attack.ArtifactParams) (attack.ArtifactMessage, error)

// goodArtifact is the case without an attack.
var goodArtifact = attack.ArtifactCase{ID: "good"}

// outsideSignature begins the reason in leniencies.txt that a signature around the answer excludes.
const outsideSignature = "what is wrong is outside the signature"

func (r *runner) tryArtifact(ctx context.Context, c attack.ArtifactCase) RunResult {
	r.artifactTwin(ctx, goodArtifact) // which finds out what is accepted
	if out := r.artifactTwin(ctx, c); out.Verdict != Accepted {
		return out
	}
	s := &script{runner: r, ctx: ctx}
	v := s.begin()
	p, calls, err := s.resolved(v, c, c.Make)
	if e := new(attack.Error); errors.As(s.err, &e) {
		out := notRun("it can't be made here: " + strings.TrimPrefix(reason(e), "attack: "+c.ID+": "))
		if r.OtherACS == "" && strings.Contains(out.Reason, "OtherACS") {
			out.Reason, out.Needs = needsOtherACS, NeedOtherACS
		}
		return out
	}
	out := s.outcome(v.b, p, err, "")
	if out.Verdict == Failed && out.Status != 0 && out.Status == r.artifactRefusal {
		out.Verdict, out.Reason = Refused, ""
	}
	harmless := harmlessID(c.ID, r.way.sign)
	if r.signAround && strings.HasPrefix(harmless, outsideSignature) {
		harmless = "" // the ArtifactResponse's covers it
	}
	switch {
	case s.err != nil:
	case out.Verdict == Refused && calls == 0 && !c.Brought:
		return inconclusive("the service provider did not resolve the artifact")
	case c.Outcome.Accepted() && out.Identity == s.Subject:
		out.Verdict, out.Reason = Accepted, ""
	case c.Outcome.Accepted() && out.Verdict == Refused:
		out.Verdict = Stricter
	case out.Identity == s.Forged:
		out.Verdict, out.Reason = LetIn, forgedName
	case out.Identity == s.Subject && harmless != "":
		out.Verdict, out.Reason = Tolerated, harmless
	}
	return out
}

// artifactTwin reports whether the same artifact and answer without the attack sign a user in.
func (r *runner) artifactTwin(ctx context.Context, c attack.ArtifactCase) RunResult {
	id := "artifact"
	if !c.PlainTwin() {
		id += "|" + c.ID
	}
	r.mu.Lock()
	t := r.twins[id]
	if t == nil {
		t = new(twin)
		r.twins[id] = t
	}
	r.mu.Unlock()
	t.once.Do(func() {
		try := func() RunResult { return r.measure(r.way, func() RunResult { return r.tryArtifactTwin(ctx, c) }) }
		t.result = try()
		if id != "artifact" {
			return
		}
		if t.result.twinRefused { // some want the ArtifactResponse to be signed
			r.signAround = true
			if t.result = try(); t.result.twinRefused {
				r.signAround = false
			}
		}
		r.detectArtifactRefusal(ctx)
	})
	return t.result
}

func (r *runner) tryArtifactTwin(ctx context.Context, c attack.ArtifactCase) RunResult {
	s := &script{runner: r, ctx: ctx}
	v := s.begin()
	p, calls, err := s.resolved(v, c, c.Twin)
	out := s.outcome(v.b, p, err, "")
	switch {
	case s.err != nil:
	case out.Identity == s.Subject && calls > 0:
		out.Verdict, out.Reason = Accepted, ""
	default:
		out.Verdict, out.twinRefused = Inconclusive, true
		out.Reason = fmt.Sprintf("a good artifact is not accepted: status %d, %s, after %d calls", out.Status,
			out.Says, calls)
	}
	return out
}

// detectArtifactRefusal determines the status of an ordinary refusal: of an answer without a signature.
func (r *runner) detectArtifactRefusal(ctx context.Context) {
	s := &script{runner: r, ctx: ctx}
	if p, _, err := s.resolved(s.begin(), unsignedArtifact(), unsignedArtifact().Make); err == nil && p.status >= 500 {
		r.artifactRefusal = p.status
	}
}

// unsignedArtifact is the case whose answer has no signature.
func unsignedArtifact() attack.ArtifactCase {
	cases := attack.ArtifactCases()
	return cases[slices.IndexFunc(cases, func(c attack.ArtifactCase) bool { return c.ID == "H11/plain" })]
}

// artifactParams returns the parameters of an artifact and its answer for a visit.
func (s *script) artifactParams(v *visit, c attack.ArtifactCase) attack.ArtifactParams {
	w := s.way
	w.key = c.Needs.Key
	p := attack.ArtifactParams{Params: s.params(v, attack.Case{}, w), Index: artifactIndex, ResolveID: "_unsent"}
	p.SignAround = s.signAround
	p.Recipient = s.ArtifactACS
	if c.Needs.Encrypted {
		p.EncryptTo, p.Cipher = s.EncryptTo, s.cipher
	}
	return p
}

// resolved brings an artifact and answers the calls that follow. If the artifact itself is the attack, the answer is
// good.
func (s *script) resolved(v *visit, c attack.ArtifactCase, document artifactMaker) (page, int, error) {
	if s.err != nil {
		return page{}, 0, s.err
	}
	p := s.artifactParams(v, c)
	m, err := document(p)
	if err != nil {
		s.fail(err)
		return page{}, 0, err
	}
	if c.Brought {
		document = goodArtifact.Make
	}
	calls := s.BackChannel.expect(sending(answering(p, document)))
	defer s.BackChannel.refuse()
	got, err := s.bring(v, m.Artifact)
	return got, calls(), err
}

// answering makes the answer to a call.
func answering(p attack.ArtifactParams, document artifactMaker) func(call) ([]byte, error) {
	return func(c call) ([]byte, error) {
		p := p
		p.ResolveID = c.id
		m, err := document(p)
		return m.Envelope, err
	}
}

// bring sends an artifact as a browser does after the identity provider's redirect (Bindings 3.6.5.1).
func (s *script) bring(v *visit, artifacts ...string) (page, error) {
	f := v.form(nil)
	f.Del("SAMLResponse")
	f["SAMLart"] = artifacts
	return s.send(v.b, request{method: http.MethodGet, to: withQuery(s.ArtifactACS, f.Encode())})
}
