package run

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Before the attacks: what the service provider accepts.

// detect determines what the service provider accepts. It returns the reason
// why no attack can be run, or "".
func (r *runner) detect(ctx context.Context, out *Report) string {
	b := r.newBrowser()
	user, p, err := r.probe(ctx, b)
	if err != nil {
		return reason(err)
	}
	if user != "" {
		return fmt.Sprintf("the probe shows %q before any user signed in", user)
	}
	r.marked = strings.Contains(p.body, "administrator")
	why := "no good response is accepted"
	for _, sign := range r.Sign {
		w := way{key: attack.RSA, sign: sign}
		twin := r.twin(ctx, good, w)
		out.Good = append(out.Good, twin)
		switch {
		case r.way.found():
		case twin.Verdict == Accepted:
			r.way, why = w, ""
		default:
			why = twin.Reason
		}
	}
	switch {
	case r.EncryptTo == nil:
	case !r.way.found():
		r.detectEncryption(ctx, out)
	default:
		r.detectCiphers(ctx, out)
	}
	if !r.way.found() {
		return why
	}
	if r.IdP.ECDSA != nil {
		w := r.way
		w.key = attack.ECDSA
		out.Good = append(out.Good, r.twin(ctx, good, w))
	}
	r.detectRequests(ctx)
	r.detectOther(ctx)
	r.detectRefusal(ctx, out)
	return ""
}

// ciphers lists what a service provider may accept, the best first.
func ciphers() []string {
	return []string{
		"http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2009/xmlenc11#aes128-gcm",
		"http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
	}
}

// detectEncryption finds an accepted way of signing if the service provider
// accepts encrypted assertions only.
func (r *runner) detectEncryption(ctx context.Context, out *Report) {
	for _, cipher := range ciphers() {
		var tried []RunResult
		for _, sign := range r.Sign {
			twin := r.twin(ctx, good, way{attack.RSA, sign, true, cipher})
			tried = append(tried, twin)
			if twin.Verdict == Accepted && !r.way.found() {
				r.way, r.cipher = way{key: attack.RSA, sign: sign, encrypted: true}, cipher
			}
		}
		if r.way.found() {
			out.Good = append(out.Good, tried...)
			return
		}
	}
}

// detectCiphers finds the best encryption that the service provider accepts.
func (r *runner) detectCiphers(ctx context.Context, out *Report) {
	for _, cipher := range ciphers() {
		for _, sign := range []attack.Sign{r.way.sign, attack.SignResponse} { // CBC needs a signature around it
			twin := r.twin(ctx, good, way{attack.RSA, sign, true, cipher})
			if twin.Verdict == Accepted || sign == attack.SignResponse {
				out.Good = append(out.Good, twin)
			}
			if twin.Verdict == Accepted {
				r.cipher = cipher
				return
			}
		}
	}
}

// detectRequests determines what requests ask for, whether unsolicited
// responses are accepted, and how a sign-in changes cookies.
func (r *runner) detectRequests(ctx context.Context) {
	s := &script{runner: r, ctx: ctx}
	v := s.begin()
	r.sample = v.request
	before := v.b.clone()
	if _, err := s.post(v.b, v.form(s.good(v))); err == nil {
		r.checkCookies(before, v.b)
	}
	s = &script{runner: r, ctx: ctx}
	s.signIn(s.newVisit(), nil)
	r.unsolicited = s.err == nil
}

// detectRefusal determines the status of an ordinary refusal. Some service
// providers answer 500 to every message that they refuse.
func (r *runner) detectRefusal(ctx context.Context, out *Report) {
	s := &script{runner: r, ctx: ctx}
	v := s.begin()
	p, err := s.post(v.b, v.form(s.forged(v)))
	if err == nil && p.status >= 500 {
		r.refusal = p.status
		out.Notes = append(out.Notes, fmt.Sprintf("an ordinary refusal has status %d", p.status))
	}
}

// checkCookies notes weaknesses of the cookies.
func (r *runner) checkCookies(before, after *browser) {
	note := func(format string, args ...any) { r.notes = append(r.notes, fmt.Sprintf(format, args...)) }
	old := before.cookies()
	for name, c := range after.cookies() {
		if was := old[name]; was != nil && was.Value == c.Value && c.Value != "" {
			note("the cookie %q has the same value before and after signing in", c.Name)
		}
		if !c.HttpOnly {
			note("the cookie %q is not HttpOnly", c.Name)
		}
		if !c.Secure {
			note("the cookie %q is not Secure", c.Name)
		}
		if c.SameSite <= http.SameSiteDefaultMode { // zero is no attribute, and the mode one without a known value
			note("the cookie %q has no SameSite", c.Name)
		}
	}
	slices.Sort(r.notes)
}
