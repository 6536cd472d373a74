package portal

import (
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/portal/center"
)

// ask asks whether to become another user. Until the answer nothing changes: the sign-in goes back into
// the store under a new secret, and expires when it would have.
func (p *Portal) ask(w http.ResponseWriter, r *http.Request, tag string, in pending, now, next center.User) {
	in.Asked = now.ID
	if _, err := p.keep(w, r, tag, in); err != nil {
		p.refuseSignIn(w, r, in, err)
		return
	}
	// form-action applies to the redirect after the form too, which may lead to another origin.
	if origin := originOf(p.destination(r, in.ReturnTo)); origin != "" {
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy("'self' "+origin))
	}
	p.render(w, r, http.StatusOK, "confirm", page{
		Title: "Continue as " + next.Label() + "?",
		Body:  confirmBody{Tag: tag, Now: now, Next: next},
	})
}

type confirmBody struct {
	Tag       string
	Now, Next center.User
}

// answer handles the answer to the question.
func (p *Portal) answer(w http.ResponseWriter, r *http.Request) {
	answer := ""
	if err := r.ParseForm(); err == nil {
		answer = r.PostForm.Get("answer")
	}
	if answer != "continue" && answer != "stay" {
		p.badRequest(w, r)
		return
	}
	tag := r.PostForm.Get("s")
	in, err := p.take(w, r, tag)
	switch {
	case errors.Is(err, errNotPending):
		p.stay(w, r)
	case err != nil:
		p.refuse(w, r, unavailable("read of the sign-in", err))
	case answer == "stay":
		p.clearCookie(w, pendingPrefix+tag)
		p.stay(w, r)
	default:
		p.finish(w, r, tag, in, in.Asked)
	}
}

// stay changes nothing and leads home. Without a session, home would redirect to the identity provider,
// which the form's content security policy blocks, so the signed-out page has a link.
func (p *Portal) stay(w http.ResponseWriter, r *http.Request) {
	to := pathHome
	if _, err := p.current(r); err != nil {
		to = pathSignedOut
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
