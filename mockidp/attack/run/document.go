package run

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// The attacks that need one document only.

// twin is the result of a good message, made in one way.
type twin struct {
	once   sync.Once
	result RunResult
}

// twin tries a good message. It does so once for all cases whose twins differ
// in their IDs only.
func (r *runner) twin(ctx context.Context, c attack.Case, w way) RunResult {
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
		if t.result.Verdict == Inconclusive && r.responsive(ctx) { // it may have been busy
			t.result = r.runTwin(ctx, c, w)
		}
	})
	return t.result
}

// subjectOf returns the user that a case's twin signs in.
func (r *runner) subjectOf(c attack.Case) string {
	return cmp.Or(c.TwinOutcome().NameID, r.Subject)
}

func (r *runner) runTwin(ctx context.Context, c attack.Case, w way) RunResult {
	return r.measure(w, func() RunResult {
		v, err := r.begin(ctx)
		if err != nil {
			return inconclusive(reason(err))
		}
		m, err := c.Twin(r.params(v, c, w))
		if err != nil {
			return notRun(reason(err))
		}
		p, err := v.post(ctx, m.SAMLResponse)
		if err != nil {
			return inconclusive("a good response gets no answer: " + reason(err))
		}
		out := RunResult{Verdict: Inconclusive, Status: p.status, Says: excerpt(p.body)}
		user, _, err := r.probe(ctx, v.b)
		out.Identity = user
		switch {
		case err != nil:
			out.Reason = reason(err)
		case user == "":
			out.Reason = fmt.Sprintf("a good response (%s) is not accepted: status %d, %s", w, p.status, out.Says)
			out.twinRefused = true
		case user != r.subjectOf(c):
			out.Reason = fmt.Sprintf("a good response (%s) for %q signs %q in", w, r.subjectOf(c), user)
		default:
			out.Verdict = Accepted
		}
		return out
	})
}

func inconclusive(why string) RunResult { return RunResult{Verdict: Inconclusive, Reason: why} }
func notRun(why string) RunResult {
	return RunResult{Verdict: NotRun, Reason: why, Needs: NeedSettings}
}
func noAnswer(err error) RunResult {
	return RunResult{Verdict: Failed, Reason: "no answer: " + reason(err)}
}

// ways lists the ways in which a case is made.
func (r *runner) ways(c attack.Case) []way {
	var out []way
	for _, sign := range c.Needs.Modes() {
		if slices.Contains(r.Sign, sign) {
			encrypted := c.Needs.Encrypted || r.way.encrypted && c.MayEncrypt()
			out = append(out, way{key: c.Needs.Key, sign: sign, encrypted: encrypted})
		}
	}
	return out
}

func (r *runner) runCase(ctx context.Context, c attack.Case, why string) Result {
	out, ways := caseEntry(c).result(), r.ways(c)
	switch needs, missing := r.missing(c); {
	case missing != "":
		out.Verdict, out.Reason, out.Needs = NotRun, missing, needs
	case why != "":
		out.Verdict, out.Reason = Inconclusive, why
	case r.hasStopped():
		out.markNotRun()
	case len(ways) == 0:
		out.Verdict, out.Reason, out.Needs = NotRun, "it does not apply to the selected ways of signing", NeedSign
	default:
		for _, w := range ways {
			if !r.hasStopped() {
				out.Runs = append(out.Runs, r.runWay(ctx, c, w))
			}
		}
		out.summarize()
		r.attributeStop(&out)
	}
	return out
}

// missing returns what a case needs and this run lacks, or "" and "".
func (r *runner) missing(c attack.Case) (Need, string) {
	s, sample := c.Needs.SP, r.sample
	if sample == nil {
		sample = new(authnRequest)
	}
	_, need, noKey := r.IdP.key(c.Needs.Key)
	switch row := c.Row(); {
	case noKey != "":
		return need, noKey
	case c.Needs.Encrypted && r.EncryptTo == nil:
		return NeedEncryptTo, "it needs the service provider's encryption key"
	case s.MetadataOver, s.CertificateOver:
		return NeedSettings, "it needs a service provider whose copy of the metadata has expired"
	case s.Unsolicited:
		return NeedSettings, "it needs a service provider that accepts unsolicited responses of one identity provider only"
	case s.OtherIdP && (r.OtherIdP == nil || r.otherRefused != ""):
		return r.missingOther()
	case s.Scope != "":
		return NeedSettings, "it needs a service provider that compares scopes with those of the metadata (shibmd:Scope)"
	case s.MaxAuthnAge > 0:
		return NeedSettings, "it needs a service provider that bounds the age of an authentication"
	case s.EncryptionKeyListed && r.IdP.Encryption == nil:
		return NeedIdPEncryption, "it needs an identity provider whose metadata lists a key for encryption"
	case s.ForceAuthn && !sample.forceAuthn:
		return NeedSettings, "it needs a request with ForceAuthn"
	case s.AuthnContext != "" && s.AuthnContext != sample.authnContext:
		return NeedSettings, "it needs a request for the AuthnContext " + s.AuthnContext
	case s.Subject && sample.subject != r.Subject:
		return NeedSettings, "it needs a request whose Subject names " + r.Subject
	case s.NameIDFormat != "" && s.NameIDFormat != sample.nameIDFormat:
		return NeedSettings, "it needs a request for the NameID format " + s.NameIDFormat
	case r.IdPInitiated && (row == "D08" || row == "D09" || row == "D10"):
		return NeedLogin, "it needs a request"
	}
	return "", ""
}

// runWay tries a case in one way, the twin first.
func (r *runner) runWay(ctx context.Context, c attack.Case, w way) RunResult {
	tw := w
	tw.key, tw.encrypted = c.TwinNeeds().Key, c.TwinNeeds().Encrypted || w.encrypted && !c.Needs.Encrypted
	if twin := r.twin(ctx, c, tw); twin.Verdict != Accepted {
		out := RunResult{How: w.String(), Verdict: twin.Verdict, Reason: twin.Reason, sent: twin.sent && r.hasStopped()}
		if out.twinRefused = twin.twinRefused; out.twinRefused && !r.hasStopped() {
			out.Verdict, out.Needs = NotRun, NeedSupport
		}
		if allowed := allowed(c.Needs.SP); allowed != "" {
			out.Verdict, out.Reason, out.Needs = NotRun, "it needs a service provider that allows "+allowed, NeedSettings
		}
		return out
	}
	return r.attempt(ctx, w, func() RunResult { return r.tryWay(ctx, c, w) })
}

// allowed names the weakness that a service provider must allow for a case to
// be conclusive. For most cases it is "".
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
		return inconclusive(reason(err))
	}
	m, err := c.Make(r.params(v, c, w))
	if err != nil {
		out := notRun("it can't be made here: " + strings.TrimPrefix(reason(err), "attack: "+c.ID+": "))
		if r.OtherACS == "" && strings.Contains(out.Reason, "OtherACS") {
			out.Reason, out.Needs = needsOtherACS, NeedOtherACS
		}
		return out
	}
	p, posting := v.post(ctx, m.SAMLResponse)
	user, seen, err := r.probe(ctx, v.b)
	out := r.verdict(c, w, user, !r.marked && strings.Contains(seen.body, "administrator"))
	out.Status = p.status
	if posting == nil {
		out.Says = excerpt(p.body)
	}
	if user == "" && out.Verdict != NotRun {
		r.markServerError(&out, p, posting)
		if err != nil && posting == nil {
			out.Verdict, out.Reason = Failed, reason(err)
		}
	}
	return out
}

// markServerError changes a refusal to Failed if the server or the connection
// failed.
func (r *runner) markServerError(out *RunResult, p page, posting error) {
	switch op := new(net.OpError); {
	case errors.As(posting, &op) && (op.Op == "write" || op.Op == "readfrom"):
		out.Reason = "the connection was closed while the message was still being sent"
	case posting != nil:
		out.Verdict, out.Reason = Failed, noAnswer(posting).Reason
	case isFault(p): // which has status 500 (SOAP 1.1, 6.2)
	case p.status >= 500 && p.status != http.StatusNotImplemented && p.status != r.refusal:
		out.Verdict, out.Reason = Failed, fmt.Sprintf("status %d", p.status)
	}
}

// verdict returns the result of a case, by the user who is signed in after its
// message.
func (r *runner) verdict(c attack.Case, w way, user string, forgedRole bool) RunResult {
	out := RunResult{Identity: user, Verdict: LetIn}
	want := r.subjectOf(c)
	signed, harmless := nameSigned(c, w.sign), harmless(c, w.sign)
	switch {
	case c.Outcome.Accepted():
		return r.verdictOnUnusual(c, user, forgedRole)
	case user == "":
		out.Verdict = Refused
	case signed != "":
		out.Verdict, out.Reason = Tolerated, signed
	case forgedRole:
		out.Reason = fmt.Sprintf("%q, "+unsignedRole, user)
	case user == r.Forged && user != want:
		out.Reason = forgedName
	case user != want:
		out.Reason = fmt.Sprintf("signed in as %q, who was %q", user, want)
	case harmless != "":
		out.Verdict, out.Reason = Tolerated, harmless
	default:
		out.Reason = "accepted, with the name that the identity provider gave"
	}
	return out
}

// verdictOnUnusual returns the result of a case that must be accepted.
func (r *runner) verdictOnUnusual(c attack.Case, user string, forgedRole bool) RunResult {
	out := RunResult{Identity: user, Verdict: LetIn}
	want := cmp.Or(c.Outcome.NameID, r.subjectOf(c))
	roles, says := c.Outcome.Values["role"]
	switch {
	case user == "" && allowed(c.Needs.SP) != "":
		out = notRun("it needs a service provider that allows " + allowed(c.Needs.SP))
	case user == "":
		out.Verdict = Stricter
	case forgedRole && says && len(roles) == 1:
		out.Reason = fmt.Sprintf("%q, "+unsignedRole, user)
	case user == want || r.IdentityAttribute != "" && user == r.Subject:
		out.Verdict = Accepted
	case strings.EqualFold(strings.TrimSpace(user), strings.TrimSpace(want)):
		out.Verdict, out.Reason = Tolerated, fmt.Sprintf("%q is read as %q", want, user)
	default:
		out.Reason = fmt.Sprintf("it is about %q, and signs %q in", want, user)
	}
	return out
}

// isFault reports whether an answer is a SOAP Fault (Bindings 3.2.3.3).
func isFault(p page) bool {
	var envelope struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
		Body    struct {
			Fault *struct{} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault"`
		} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
	}
	err := xml.Unmarshal([]byte(p.body), &envelope)
	return err == nil && envelope.Body.Fault != nil
}
