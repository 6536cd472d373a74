package portal

import (
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/portal/center"
)

// ask puts the question whether to become somebody else. Nothing has changed
// when it is shown: the sign-in goes back into the store under a new secret,
// for what is left of its time.
func (p *Portal) ask(w http.ResponseWriter, r *http.Request, tag string, in pending, now, next center.User) {
	in.Asked = now.ID
	if _, err := p.keep(w, r, tag, in); err != nil {
		p.refuseSignIn(w, r, in, err)
		return
	}
	// form-action holds for the redirect after the form too, and this sign-in
	// may lead to another origin.
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

// answer takes the answer to the question.
func (p *Portal) answer(w http.ResponseWriter, r *http.Request) {
	what := ""
	if err := r.ParseForm(); err == nil {
		what = r.PostForm.Get("answer")
	}
	if what != "continue" && what != "stay" {
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
	case what == "stay":
		p.clearCookie(w, pendingCookie(tag))
		p.stay(w, r)
	default:
		p.finish(w, r, tag, in, in.Asked)
	}
}

// stay leaves everything as it is. Without a session the home page would lead
// on to the identity provider, which the form's content security policy
// forbids, so that is left to a link.
func (p *Portal) stay(w http.ResponseWriter, r *http.Request) {
	to := pathHome
	if _, err := p.current(r); err != nil {
		to = pathSignedOut
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
