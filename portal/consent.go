package portal

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// A user answers a program's request on a page of the portal:
//
//	GET /client?request=…    shows what the program asks for, as a form. It stores nothing and approves nothing.
//	POST /client             the answer, with a proof that this page was shown to this browser in this session
//
// The proof is a hash of the request, the session's ID, and a secret that is only in this browser's cookie. So another
// site can't make one, and after a change of the user the old one is of no use. Each proof is accepted once.

const (
	// consentCookie is the cookie with the secret, which serves all tabs of a browser.
	consentCookie   = "__Host-meridian-client"
	consentLifetime = time.Hour
)

// consentBody is the page that asks whether a program may act for the user.
type consentBody struct {
	ClientRequest
	Request, Proof string // of the form
	Waits          string // the address at which the program waits
}

func (p clientPages) ask(w http.ResponseWriter, r *http.Request, v *visit) {
	request := r.URL.Query().Get("request")
	asked, err := p.clients.Request(r.Context(), request, v.approval())
	if err != nil {
		p.refuseClient(w, r, err)
		return
	}
	body := consentBody{ClientRequest: asked, Request: request, Proof: consentProof(p.consentSecret(w, r), v, request)}
	if asked.Redirect != "" {
		// form-action applies to the redirect after the form too.
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy("'self' "+formTarget(asked.Redirect)))
		body.Waits = hostOf(asked.Redirect)
	}
	p.render(w, r, http.StatusOK, "client", v.page("Allow access?", "", body))
}

// answer takes the answer of the page's form. If the user has changed since the page was shown, it is shown again.
func (p clientPages) answer(w http.ResponseWriter, r *http.Request, v *visit) {
	answer, request := "", ""
	if err := r.ParseForm(); err == nil {
		answer, request = r.PostForm.Get("answer"), r.PostForm.Get("request")
	}
	if answer != "allow" && answer != "deny" || request == "" {
		p.badRequest(w, r)
		return
	}
	proof := r.PostForm.Get("proof")
	if !p.isProof(r, v, request, proof) {
		http.Redirect(w, r, clientURL(request), http.StatusSeeOther)
		return
	}
	asked, err := p.clients.Request(r.Context(), request, v.approval())
	if err == nil {
		err = p.useProof(r, proof, asked.Until)
	}
	decide := p.clients.Deny
	if answer == "allow" {
		decide = p.clients.Allow
	}
	to := ""
	if err == nil {
		to, err = decide(r.Context(), request, v.approval())
	}
	if err != nil {
		p.refuseClient(w, r, err)
		return
	}
	p.log.InfoContext(r.Context(), "portal: program answered", "user", v.user.UserName, "program", asked.Name,
		"answer", answer, "device", to == "")
	if answer == "deny" {
		_ = p.auditProgram(r.Context(), v.session, asked.Name, false)
	}
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	p.answered(w, r, v, answer == "allow")
}

// consentSecret returns the secret of this browser, and makes one if it has none.
func (p *Portal) consentSecret(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(consentCookie)
	if err == nil && isSecret(c.Value) {
		return c.Value
	}
	secret := newSecret()
	p.setCookie(w, consentCookie, secret, consentLifetime)
	return secret
}

func consentProof(secret string, v *visit, request string) string {
	return hashed("portal consent", secret+"|"+v.session.ID+"|"+request)
}

func (p *Portal) isProof(r *http.Request, v *visit, request, proof string) bool {
	c, err := r.Cookie(consentCookie)
	if err != nil || !isSecret(c.Value) {
		return false
	}
	want := consentProof(c.Value, v, request)
	return subtle.ConstantTimeCompare([]byte(want), []byte(proof)) == 1
}

// useProof accepts a proof once.
func (p *Portal) useProof(r *http.Request, proof string, until time.Time) error {
	err := p.cfg.Store.Add(r.Context(), "portal."+hashed("portal consent used", proof), nil, until)
	switch {
	case errors.Is(err, acs.ErrExists), errors.Is(err, acs.ErrExpired):
		return newError(ReasonClientRequest, "answer to a program", "a request without an answer", "")
	case err != nil:
		return unavailable("write of the answer", err)
	}
	return nil
}

// formTarget returns the source for form-action that allows a redirect to a program. A source can't name an IPv6
// address (CSP 3 2.3.1), so for such a URL it is every http URL. The page has only the portal's own forms.
func formTarget(redirect string) string {
	origin := originOf(redirect)
	if strings.Contains(origin, "[") {
		return "http:"
	}
	return origin
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
