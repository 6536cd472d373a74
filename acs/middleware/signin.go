package middleware

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
)

// The identity provider's page posts the response from another site, so the browser doesn't send the session's cookie
// with it. Therefore the sign-in is kept in the Region's store, under a secret in a cookie of this browser, and
// finished by a GET of Paths.Continue, which has all cookies.

// pending is a verified sign-in between the consumer and Paths.Continue. It can be taken once.
type pending struct {
	sessions.Session           // the session to make, as far as it is known
	ReturnTo         string    `json:"return_to,omitempty"`
	Until            time.Time `json:"until"`           // of this record
	Asked            string    `json:"asked,omitempty"` // the ID of the session whose user was asked to confirm
}

const pendingLifetime = 5 * time.Minute // the user may have to answer a question

// signedIn is the consumer's OnLogin: the assertion is genuine and was not accepted before.
func (g *Guard) signedIn(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	in, err := g.pendingOf(l)
	if err != nil {
		l.MissingAttributes(w, r, err)
		return
	}
	// The epoch is read now and not when the session begins, so that a revocation in between ends this sign-in too.
	if in.Epoch, err = g.cfg.Sessions.Epoch(r.Context(), in.UserID); err != nil {
		g.refuse(w, r, unavailable("read of the user's epoch", err))
		return
	}
	tag := newName()
	if why := g.keep(w, r, tag, in); why != nil {
		g.refuse(w, r, why)
		return
	}
	http.Redirect(w, r, g.cfg.Paths.Continue+"?s="+tag, http.StatusSeeOther)
}

// pendingOf returns the sign-in of an accepted assertion. The error is one for acs.Login.MissingAttributes.
func (g *Guard) pendingOf(l *acs.Login) (pending, error) {
	a, user := l.Assertion, User{}
	if g.cfg.Admit != nil {
		var err error
		if user, err = g.cfg.Admit(a); err != nil {
			return pending{}, err
		}
	}
	kept, err := g.dataOf(a)
	if err != nil {
		return pending{}, err
	}
	subject := sessions.Subject{
		Provider: a.Issuer(), ServiceProvider: g.cfg.SP.EntityID(), NameID: sessions.NameID(a.NameID()),
	}
	return pending{
		Session: sessions.Session{
			UserID: userID(subject, user.ID), UserName: cmp.Or(user.Name, a.NameID().Value),
			Proof: sessions.Proof{
				Subject: subject, SessionIndexes: a.SessionIndexes(), Issued: a.IssueInstant(),
			}.Bounded(),
			Region: g.cfg.Region, Expires: a.SessionNotOnOrAfter(), Data: kept,
		},
		ReturnTo: l.ReturnTo, Until: g.now().Add(pendingLifetime),
	}, nil
}

// userID returns the ID of a user, which depends on the identity provider, so that no other can assert the user.
func userID(s sessions.Subject, id string) string {
	s = s.Key()
	parts := []string{"id", s.Provider, id}
	if n := s.NameID; id == "" {
		parts = []string{"name", s.Provider, n.Value, n.Format, n.NameQualifier, n.SPNameQualifier}
	}
	b, _ := json.Marshal(parts) // strings, which can't fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// keep stores a pending sign-in and sets its secret in this browser's cookie. The tag distinguishes several sign-ins of
// one browser. It is not secret.
func (g *Guard) keep(w http.ResponseWriter, r *http.Request, tag string, in pending) *Error {
	secret := newSecret()
	b, err := json.Marshal(in)
	if err == nil {
		err = g.cfg.Store.Add(r.Context(), g.pendingKey(secret), b, in.Until)
	}
	if err != nil {
		return unavailable("write of the sign-in", err)
	}
	setCookie(w, g.pendingCookie(tag), secret, pendingLifetime)
	return nil
}

func (g *Guard) pendingCookie(tag string) string { return g.cfg.CookieName + "-" + tag }

// pendingKey has a prefix that acs doesn't use for its own records in the same store.
func (g *Guard) pendingKey(secret string) string { return "middleware." + g.hashed("sign-in", secret) }

// take returns this browser's pending sign-in, once.
func (g *Guard) take(w http.ResponseWriter, r *http.Request, tag string) (in pending, why *Error) {
	none := &Error{Reason: ReasonNotPending, Rule: "cookie of the sign-in", Want: "a pending sign-in of this browser"}
	c, err := r.Cookie(g.pendingCookie(tag))
	if err != nil || len(tag) != len(newName()) || !isSecret(c.Value) {
		return in, none
	}
	b, err := g.cfg.Store.Take(r.Context(), g.pendingKey(c.Value))
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	switch {
	case errors.Is(err, acs.ErrNotFound), err == nil && !g.now().Before(in.Until):
		clearCookie(w, g.pendingCookie(tag))
		return in, none
	case err != nil:
		return in, unavailable("read of the sign-in", err)
	}
	return in, nil
}

// proceed finishes this browser's pending sign-in: by GET, or by POST of the answer to the question of ask.
func (g *Guard) proceed(w http.ResponseWriter, r *http.Request) {
	secure(w)
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
		g.refuse(w, r, why)
		return
	}
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
		g.refuse(w, r, why)
		return
	}
	now, next := isolated(before.UserName), isolated(in.UserName)
	p := acs.Page{
		Kind: acs.PageQuestion, Status: http.StatusOK, Title: "Continue as " + next + "?",
		Text: "You are signed in as " + now + ". Your identity provider says that you are " + next + ". If you didn't " +
			"start this sign-in, stay signed in as " + now + ": it may be an attempt to make you use another account.",
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
	g.cfg.RenderPage(w, r, p)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
