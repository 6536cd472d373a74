package middleware

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
)

// proceed finishes this browser's pending sign-in: by GET, or by POST of the answer to the question of ask.
func (g *Guard) proceed(w http.ResponseWriter, r *http.Request) {
	acs.SetPageHeaders(w.Header())
	switch r.Method {
	case http.MethodGet:
		if err := acs.CheckNavigation(r); err != nil {
			g.refuse(w, r, &Error{Reason: ReasonNavigation, Rule: r.URL.Path, Err: err})
			return
		}
		g.finish(w, r, r.URL.Query().Get("s"), false)
	case http.MethodPost:
		g.answer(w, r)
	case http.MethodHead: // it takes nothing
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// answer handles the answer to the question of ask.
func (g *Guard) answer(w http.ResponseWriter, r *http.Request) {
	if err := acs.CheckSignOut(r); err != nil { // it must be a form of this origin in a window, as for signing out
		g.refuse(w, r, &Error{Reason: ReasonNavigation, Rule: "POST " + r.URL.Path, Err: err})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	tag := r.PostFormValue("s")
	if r.PostForm.Get("answer") == "continue" {
		g.finish(w, r, tag, true)
		return
	}
	_, why := g.take(w, r, tag)
	if why != nil && why.Reason != ReasonNotPending {
		g.refuse(w, r, why)
		return
	}
	clearCookie(w, g.pendingCookie(tag))
	http.Redirect(w, r, g.cfg.Paths.Home, http.StatusSeeOther)
}

// finish turns a pending sign-in into a session. agreed says that the user of the session in.Asked agreed to end it.
func (g *Guard) finish(w http.ResponseWriter, r *http.Request, tag string, agreed bool) {
	in, why := g.take(w, r, tag)
	before, err := g.current(r)
	switch {
	case why != nil && why.Reason == ReasonNotPending && err == nil: // a signed-in user came back to an old page
		http.Redirect(w, r, g.cfg.Paths.Home, http.StatusSeeOther)
		return
	case why != nil:
	case err != nil && !errors.Is(err, sessions.ErrNoSession):
		errors.As(err, &why)
	case before != nil && before.UserID != in.UserID && (!agreed || in.Asked != before.ID):
		g.ask(w, r, tag, in, before)
		return
	default:
		clearCookie(w, g.pendingCookie(tag))
		why = g.become(w, r, before, in)
	}
	if why != nil {
		g.refuseSignIn(w, r, in, why)
		return
	}
	g.observe(r.Context(), in.Proof.Subject.Provider, in.Unsolicited, "")
	g.cfg.Logger.InfoContext(r.Context(), "middleware: signed in",
		"user", in.UserName, "idp", in.Proof.Subject.Provider)
	if form := g.takeForm(r, in.UserID); form != nil {
		g.offer(w, r, form)
		return
	}
	http.Redirect(w, r, cmp.Or(in.ReturnTo, g.cfg.Paths.Home), http.StatusSeeOther)
}

// become ends the browser's earlier session, and begins the one of a pending sign-in under a new secret, so that an
// attacker can't plant one. A session of the same user joins its sign-in, so that signing out ends both.
func (g *Guard) become(w http.ResponseWriter, r *http.Request, before *visit, in pending) *Error {
	ctx, s, now := r.Context(), in.Session, g.now()
	if why := g.checkLoggedOut(ctx, s); why != nil { // before anything ends
		return why
	}
	s.ID, s.SignIn, s.Created, s.Seen = newName(), newName(), now, now
	if end := now.Add(g.cfg.SessionLifetime); s.Expires.IsZero() || end.Before(s.Expires) {
		s.Expires = end
	}
	if !now.Before(s.Expires) {
		const rule = "SessionNotOnOrAfter (Profiles 4.1.4.3)"
		return &Error{Reason: ReasonSessionOver, Rule: rule, Want: "after " + stamp(now), Got: stamp(s.Expires)}
	}
	if before == nil {
		if key, idle, err := g.kept(r); err == nil {
			before = &visit{key: key, entry: idle}
		}
	}
	if before != nil {
		var err error
		if before.entry.UserID == s.UserID {
			s.SignIn = before.entry.SignIn
		} else {
			err = g.endSignIn(ctx, before.entry)
		}
		if err == nil {
			err = g.cfg.Sessions.End(ctx, before.key)
		}
		if err != nil {
			return unavailable("end of the earlier session", err)
		}
	}
	return g.begin(ctx, w, s)
}

func (g *Guard) begin(ctx context.Context, w http.ResponseWriter, s sessions.Session) *Error {
	secret := newSecret()
	key := g.hashed("session", secret)
	if err := g.cfg.Sessions.Create(ctx, key, s); err != nil {
		return unavailable("write of the session", err)
	}
	// The sign-in may have been revoked since it was verified. Without this check the next request would begin another
	// sign-in, and the user would see no reason.
	_, err := g.cfg.Sessions.Get(ctx, key)
	switch {
	case errors.Is(err, sessions.ErrNoSession):
		if why := g.checkLoggedOut(ctx, s); why != nil {
			return why
		}
		const want = "a session that was not ended meanwhile"
		return &Error{Reason: ReasonRevoked, Rule: "sign-in", Want: want, Got: s.UserName}
	case err != nil:
		return unavailable("read of the session", err)
	}
	setCookie(w, g.cfg.CookieName, secret, 0)
	return nil
}

// checkLoggedOut refuses a late assertion: one whose session the identity provider has ended before it begins.
func (g *Guard) checkLoggedOut(ctx context.Context, s sessions.Session) *Error {
	out, err := g.cfg.Sessions.LoggedOut(ctx, s)
	switch {
	case err != nil:
		return unavailable("read of the logouts", err)
	case out:
		const rule, want = "LogoutRequest (Core 3.7.3.1)", "an assertion that no LogoutRequest names"
		return &Error{Reason: ReasonLoggedOut, Rule: rule, Want: want, Got: s.UserName}
	}
	return nil
}

// endSignIn ends every session of a session's sign-in. The store may drop that record when all of these have expired,
// and an hour later to allow for clocks that differ.
func (g *Guard) endSignIn(ctx context.Context, s sessions.Session) error {
	return g.cfg.Sessions.EndSignIn(ctx, s.UserID, s.SignIn, g.now().Add(g.cfg.SessionLifetime+time.Hour))
}

// ask asks the user to confirm the change to another user. Nothing changes before the answer. The sign-in is stored
// again under a new secret, with the same expiry.
func (g *Guard) ask(w http.ResponseWriter, r *http.Request, tag string, in pending, before *visit) {
	in.Asked = before.ID
	if why := g.keep(w, r, tag, in); why != nil {
		g.refuseSignIn(w, r, in, why)
		return
	}
	now, next := isolated(before.UserName), isolated(in.UserName)
	p := acs.Page{
		Kind: acs.PageQuestion, Status: http.StatusOK, Title: "Continue as " + next + "?",
		Text: "You are signed in as " + now + ". Your identity provider says that you are " + next + ". If you didn't " +
			"start this sign-in, stay signed in as " + now + ". It may be an attempt to make you use another account.",
		Users: &acs.PageUsers{Now: now, Next: next},
		Form: &acs.PageForm{
			Action: g.cfg.Paths.Continue, Fields: []acs.PageField{{Name: "s", Value: tag}},
			Buttons: []acs.PageButton{
				{Name: "answer", Value: "stay", Text: "Stay signed in as " + now},
				{Name: "answer", Value: "continue", Text: "Continue as " + next},
			},
		},
	}
	if u, err := url.Parse(in.ReturnTo); err == nil && u.Host != "" {
		p.Form.Targets = []string{u.Scheme + "://" + u.Host}
	}
	g.cfg.WritePage(w, r, p)
}
