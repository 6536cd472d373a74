package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// The attacks that one document shows.

// twin is what became of a good message, made in one way.
type twin struct {
	once   sync.Once
	result RunResult
}

// twin shows a good message, once for all cases whose twins differ from each
// other in nothing but their IDs.
func (r *runner) twin(ctx context.Context, c attack.Case, w way) *twin {
	id := w.String() + "|" + c.TwinOutcome().NameID
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
		t.result = r.runTwin(ctx, c, w)
		if t.result.Verdict == Inconclusive && r.answers(ctx) { // it may have been busy
			t.result = r.runTwin(ctx, c, w)
		}
	})
	return t
}

// subjectOf is who signs in by a case's twin.
func (r *runner) subjectOf(c attack.Case) string {
	return cmp.Or(c.TwinOutcome().NameID, r.Subject)
}

func (r *runner) runTwin(ctx context.Context, c attack.Case, w way) RunResult {
	began := time.Now()
	out := RunResult{How: w.String(), Verdict: Inconclusive}
	sent := r.sent.Load()
	defer func() { out.Duration, out.sent = time.Since(began), r.sent.Load() != sent }()
	v, err := r.begin(ctx)
	if err != nil {
		out.Reason = oneLine(err.Error())
		return out
	}
	m, err := c.Twin(r.params(v, c, w))
	if err != nil {
		out.Verdict, out.Reason = NotRun, oneLine(err.Error())
		return out
	}
	p, err := v.post(ctx, m.SAMLResponse)
	if err != nil {
		out.Reason = "a good response gets no answer: " + oneLine(err.Error())
		return out
	}
	out.Status, out.Says = p.status, excerpt(p.body)
	who, _, err := r.probe(ctx, v.b)
	out.Identity = who
	switch {
	case err != nil:
		out.Reason = "the probe can't be read: " + oneLine(err.Error())
	case who == "":
		out.Reason = fmt.Sprintf("a good response (%s) is not accepted: status %d, %s", w, p.status, out.Says)
	case who != r.subjectOf(c):
		out.Reason = fmt.Sprintf("a good response (%s) for %q signs %q in", w, r.subjectOf(c), who)
	default:
		out.Verdict = Accepted
	}
	return out
}

// ways lists how a case is to be made.
func (r *runner) ways(c attack.Case) []way {
	var out []way
	for _, sign := range c.Needs.Modes() {
		for _, allowed := range r.Sign {
			if sign == allowed {
				out = append(out, way{key: c.Needs.Key, sign: sign, encrypted: c.Needs.Encrypted || r.way.encrypted && c.MayEncrypt()})
			}
		}
	}
	return out
}

func (r *runner) runCase(ctx context.Context, c attack.Case, why string) Result {
	out := Result{ID: c.ID, Title: c.Name, Reference: c.Reference, Expected: "refused"}
	if c.Outcome.Accepted() {
		out.Expected = "accepted"
	}
	if missing := r.missing(c); missing != "" {
		out.Verdict, out.Reason = NotRun, missing
		return out
	}
	if why != "" {
		out.Verdict, out.Reason = Inconclusive, why
		return out
	}
	if r.over() {
		out.leaveOpen()
		return out
	}
	ways := r.ways(c)
	if len(ways) == 0 {
		out.Verdict, out.Reason = NotRun, "it makes no sense with what is to be signed"
		return out
	}
	for _, w := range ways {
		if !r.over() {
			out.Runs = append(out.Runs, r.runWay(ctx, c, w))
		}
	}
	out.sum()
	r.blame(&out)
	return out
}

// missing says what a case takes that this run does not have.
func (r *runner) missing(c attack.Case) string {
	s, sample := c.Needs.SP, r.sample
	if sample == nil {
		sample = new(asked)
	}
	_, noKey := r.IdP.key(c.Needs.Key)
	switch row := c.Row(); {
	case noKey != "":
		return noKey
	case c.Needs.Encrypted && r.EncryptTo == nil:
		return "it takes the service provider's encryption key"
	case s.MetadataOver, s.CertificateOver:
		return "it takes a service provider whose copy of the metadata is past its dates"
	case s.MaxAuthnAge > 0:
		return "it takes a service provider that bounds the age of an authentication"
	case s.EncryptionKeyListed && r.IdP.Encryption == nil:
		return "it takes an identity provider whose metadata lists a key for encryption"
	case s.ForceAuthn && !sample.forceAuthn:
		return "it takes a request with ForceAuthn"
	case s.AuthnContext != "" && s.AuthnContext != sample.authnContext:
		return "it takes a request for the AuthnContext " + s.AuthnContext
	case s.NameIDFormat != "" && s.NameIDFormat != sample.nameIDFormat:
		return "it takes a request for the NameID format " + s.NameIDFormat
	case r.IdPInitiated && (row == "D08" || row == "D09" || row == "D10"):
		return "it takes a request"
	}
	return ""
}

// runWay tries a case in one way, the twin first.
func (r *runner) runWay(ctx context.Context, c attack.Case, w way) RunResult {
	tw := w
	tw.key, tw.encrypted = c.TwinNeeds().Key, c.TwinNeeds().Encrypted || w.encrypted && !c.Needs.Encrypted
	if t := r.twin(ctx, c, tw); t.result.Verdict != Accepted {
		out := RunResult{How: w.String(), Verdict: t.result.Verdict, Reason: t.result.Reason, sent: t.result.sent && r.over()}
		if allowed := allowed(c.Needs.SP); allowed != "" {
			out.Verdict, out.Reason = NotRun, "it takes a service provider that allows "+allowed
		}
		return out
	}
	return r.attempt(ctx, w, func() RunResult { return r.tryWay(ctx, c, w) })
}

// allowed names the weakness that a service provider must allow for a case to
// show anything. "" is the rule.
func allowed(s attack.Settings) string {
	switch {
	case s.AllowSHA1:
		return "SHA-1"
	case s.AllowRSA1024:
		return "RSA keys of 1024 bits"
	case s.AllowCBC:
		return "CBC outside a signature"
	case s.AllowRSA15:
		return "RSA PKCS #1 v1.5 key transport"
	}
	return ""
}

func (r *runner) tryWay(ctx context.Context, c attack.Case, w way) RunResult {
	v, err := r.begin(ctx)
	if err != nil {
		return RunResult{Verdict: Inconclusive, Reason: oneLine(err.Error())}
	}
	m, err := c.Make(r.params(v, c, w))
	if err != nil {
		return RunResult{Verdict: NotRun, Reason: "it can't be made here: " + oneLine(strings.TrimPrefix(err.Error(), "attack: "+c.ID+": "))}
	}
	p, posting := v.post(ctx, m.SAMLResponse)
	who, seen, err := r.probe(ctx, v.b)
	out := r.verdict(c, w, who, !r.marked && strings.Contains(seen.body, "administrator"))
	out.Status = p.status
	if posting == nil {
		out.Says = excerpt(p.body)
	}
	if who == "" && out.Verdict != NotRun {
		r.unwell(&out, p, posting)
		if err != nil && posting == nil {
			out.Verdict, out.Reason = Failed, "the probe can't be read: "+oneLine(err.Error())
		}
	}
	return out
}

// unwell marks a refusal that was none in order.
func (r *runner) unwell(out *RunResult, p page, posting error) {
	switch op := new(net.OpError); {
	case errors.As(posting, &op) && (op.Op == "write" || op.Op == "readfrom"):
		out.Reason = "the connection was closed while the message was still being sent"
	case posting != nil:
		out.Verdict, out.Reason = Failed, "no answer: "+oneLine(posting.Error())
	case p.status >= 500 && p.status != http.StatusNotImplemented && p.status != r.refusal:
		out.Verdict, out.Reason = Failed, fmt.Sprintf("status %d", p.status)
	}
}

// verdict says what to think of who is signed in after a hostile message, or
// after an odd one.
func (r *runner) verdict(c attack.Case, w way, who string, forgedRole bool) RunResult {
	out := RunResult{Identity: who, Verdict: LetIn}
	want := r.subjectOf(c)
	if c.Outcome.Accepted() {
		if c.Outcome.NameID != "" {
			want = c.Outcome.NameID
		}
		roles, says := c.Outcome.Values["role"]
		switch {
		case who == "" && allowed(c.Needs.SP) != "":
			out.Verdict, out.Reason = NotRun, "this service provider does not allow "+allowed(c.Needs.SP)
		case who == "":
			out.Verdict = Stricter
		case forgedRole && says && len(roles) == 1:
			out.Reason = "an attribute that nobody vouched for is shown"
		case who == want || r.IdentityAttribute != "" && who == r.Subject:
			out.Verdict = Accepted
		case strings.EqualFold(strings.TrimSpace(who), strings.TrimSpace(want)):
			out.Verdict, out.Reason = Tolerated, fmt.Sprintf("%q is taken for %q", want, who)
		default:
			out.Reason = fmt.Sprintf("it is about %q, and signs %q in", want, who)
		}
		return out
	}
	switch {
	case who == "":
		out.Verdict = Refused
	case vouchedFor(c, w.sign) != "":
		out.Verdict, out.Reason = Tolerated, vouchedFor(c, w.sign)
	case forgedRole:
		out.Reason = fmt.Sprintf("%q, with an attribute that nobody vouched for", who)
	case who == r.Forged && who != want:
		out.Reason = "signed in as the forged identity"
	case who != want:
		out.Reason = fmt.Sprintf("signed in as %q, who was %q", who, want)
	default:
		if why := harmless(c, w.sign); why != "" {
			out.Verdict, out.Reason = Tolerated, why
		} else {
			out.Reason = "accepted, for the name that it genuinely has"
		}
	}
	return out
}
