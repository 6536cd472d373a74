package run

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// Before the attacks: what kind of service provider it is.

// look finds out what the service provider takes. The answer says why nothing
// can be shown at all, if that is so.
func (r *runner) look(ctx context.Context, out *Report) string {
	b := r.newBrowser()
	who, p, err := r.probe(ctx, b)
	if err != nil {
		return "the probe can't be read: " + oneLine(err.Error())
	}
	if who != "" {
		return fmt.Sprintf("the probe shows %q before anybody signed in", who)
	}
	r.marked = strings.Contains(p.body, "administrator")
	why := "no good response is accepted"
	r.way = way{key: attack.RSA, sign: -1}
	for _, sign := range r.Sign {
		w := way{key: attack.RSA, sign: sign}
		t := r.twin(ctx, good, w)
		out.Good = append(out.Good, t.result)
		switch {
		case t.result.Verdict == Accepted && !r.way.found():
			r.way, why = w, ""
		case t.result.Verdict != Accepted && !r.way.found():
			why = t.result.Reason
		}
	}
	switch {
	case r.EncryptTo == nil:
	case !r.way.found():
		r.lookAtEncrypted(ctx, out)
	default:
		r.lookAtCiphers(ctx, out)
	}
	if !r.way.found() {
		return why
	}
	if r.IdP.ECDSA != nil {
		out.Good = append(out.Good, r.twin(ctx, good, way{key: attack.ECDSA, sign: r.way.sign, encrypted: r.way.encrypted}).result)
	}
	r.lookAtRequests(ctx)
	r.lookAtRefusal(ctx, out)
	return ""
}

// ciphers are those that a service provider may take, the best first.
func ciphers() []string {
	return []string{
		"http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2009/xmlenc11#aes128-gcm",
		"http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
	}
}

// lookAtEncrypted finds the way of a service provider that wants its assertions
// encrypted.
func (r *runner) lookAtEncrypted(ctx context.Context, out *Report) {
	for _, cipher := range ciphers() {
		var tried []RunResult
		for _, sign := range r.Sign {
			t := r.twin(ctx, good, way{attack.RSA, sign, true, cipher})
			tried = append(tried, t.result)
			if t.result.Verdict == Accepted && !r.way.found() {
				r.way, r.cipher = way{key: attack.RSA, sign: sign, encrypted: true}, cipher
			}
		}
		if r.way.found() {
			out.Good = append(out.Good, tried...)
			return
		}
	}
}

// lookAtCiphers finds the best encryption that the service provider takes.
func (r *runner) lookAtCiphers(ctx context.Context, out *Report) {
	for _, cipher := range ciphers() {
		for _, sign := range []attack.Sign{r.way.sign, attack.SignResponse} { // CBC is for what is signed outside
			t := r.twin(ctx, good, way{attack.RSA, sign, true, cipher})
			if t.result.Verdict == Accepted || sign == attack.SignResponse {
				out.Good = append(out.Good, t.result)
			}
			if t.result.Verdict == Accepted {
				r.cipher = cipher
				return
			}
		}
	}
}

// lookAtRequests finds out what requests ask for, whether responses without one
// are accepted, and what becomes of cookies at sign-in.
func (r *runner) lookAtRequests(ctx context.Context) {
	s := &script{runner: r, ctx: ctx}
	v := s.begin()
	r.sample = v.asked
	before := v.b.clone()
	if _, err := s.post(v.b, r.ACS, v.form(s.good(v))); err == nil {
		r.lookAtCookies(before, v.b)
	}
	s = &script{runner: r, ctx: ctx}
	s.signIn(s.fresh(), nil)
	r.unsolicited = s.err == nil
}

// lookAtRefusal finds out how a plain refusal looks. Some say 500 to whatever
// they don't accept, and are none the worse for it.
func (r *runner) lookAtRefusal(ctx context.Context, out *Report) {
	s := &script{runner: r, ctx: ctx}
	v := s.begin()
	p, err := s.post(v.b, r.ACS, v.form(s.forged(v)))
	if err == nil && p.status >= 500 {
		r.refusal = p.status
		out.Notes = append(out.Notes, fmt.Sprintf("a message that is refused in order is answered with status %d", p.status))
	}
}

// lookAtCookies notes what is said about a session by its cookies.
func (r *runner) lookAtCookies(before, after *browser) {
	note := func(format string, args ...any) { r.notes = append(r.notes, fmt.Sprintf(format, args...)) }
	for k, c := range after.cookies {
		old, was := before.cookies[k]
		if was && old.Value == c.Value && c.Value != "" {
			note("the cookie %q has the same value before and after signing in", c.Name)
		}
		if !c.HttpOnly {
			note("the cookie %q is not HttpOnly", c.Name)
		}
		if !c.Secure {
			note("the cookie %q is not Secure", c.Name)
		}
		if c.SameSite == http.SameSiteDefaultMode {
			note("the cookie %q does not say SameSite", c.Name)
		}
	}
	slices.Sort(r.notes)
}
