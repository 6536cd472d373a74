package run

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// D12, I11, K09: several identity providers, and the choice among them.

func providers() map[string]func(*script) RunResult {
	return map[string]func(*script) RunResult{
		"D12": func(s *script) RunResult {
			v := s.begin()
			return s.posted(v.b, s.ACS, v.form(s.document(v, good, s.byOther)), "")
		},
		"I11": sameIDs,
		"K09": forcedChoice,
	}
}

// byOther makes a document that the other identity provider sends.
func (r *runner) byOther(p *attack.Params) {
	p.Issuer, p.Key, p.Certificate = r.OtherIdP.EntityID, r.OtherIdP.RSA, r.OtherIdP.Certificates[r.OtherIdP.RSA]
}

// detectOther finds out whether a user can sign in at the other identity provider.
// Otherwise it proves nothing that its messages are refused.
func (r *runner) detectOther(ctx context.Context) {
	if r.OtherIdP == nil {
		return
	}
	s := &script{runner: r, ctx: ctx}
	s.signIn(s.beginAtOther(), s.byOther)
	if s.err != nil {
		r.otherRefused = "no user can sign in at the other identity provider: " + reason(s.err)
	}
}

// missingOther returns what attacks with two identity providers need and this run
// lacks, or "" and "".
func (r *runner) missingOther() (Need, string) {
	if r.OtherIdP == nil {
		return NeedOtherIdP, "it needs another identity provider that the service provider trusts"
	}
	if r.otherRefused != "" {
		return NeedSupport, r.otherRefused
	}
	return "", ""
}

// beginAtOther returns a visit of a new browser that waits for an answer of the other
// identity provider, or that doesn't wait if no address for that is known.
func (s *script) beginAtOther() *visit {
	if s.OtherLogin == "" || s.err != nil {
		return s.newVisit()
	}
	v, err := s.beginAt(s.ctx, s.OtherLogin, s.OtherIdP)
	if err != nil {
		s.fail(err)
		return s.newVisit()
	}
	return v
}

// sameIDs signs a user in at each identity provider, by messages with the same IDs.
// IDs are unique for one issuer only (Core 1.3.4), so the second one is no replay.
func sameIDs(s *script) RunResult {
	seed := [32]byte{1}
	s.signIn(s.begin(), func(p *attack.Params) { p.Rand = rand.NewChaCha8(seed) })
	v := s.beginAtOther()
	response := s.document(v, good, func(p *attack.Params) {
		s.byOther(p)
		p.Rand = rand.NewChaCha8(seed)
	})
	out := s.posted(v.b, s.ACS, v.form(response), "")
	switch out.Verdict {
	case LetIn:
		out.Verdict, out.Reason = Accepted, ""
	case Refused:
		out.Verdict = Stricter
	}
	return out
}

// forcedChoice: another site sends the browser to where a discovery service would send
// it, with a choice, without a sign-in that has begun.
func forcedChoice(s *script) RunResult {
	to := withQuery(s.Discovery, "entityID="+url.QueryEscape(s.IdP.EntityID))
	p, err := s.newBrowser().get(s.ctx, to)
	if err != nil {
		return noAnswer(err)
	}
	out := RunResult{Verdict: Refused, Status: p.status, Says: excerpt(p.body)}
	if request, err := s.requestIn(p); err == nil {
		out.Verdict = LetIn
		out.Reason = fmt.Sprintf("a sign-in begins, at the identity provider that a link names: %q", request.to)
	} else {
		s.markServerError(&out, p, nil)
	}
	return out
}
